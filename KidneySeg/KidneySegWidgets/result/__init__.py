"""One result in the scene: its nodes, segments, table, views, and its correction."""
