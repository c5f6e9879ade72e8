"""Network architectures, built from a bundle's plan."""
