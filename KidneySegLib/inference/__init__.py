"""Running networks: working grids, tiles, memory, devices."""
