"""Pictures of a result: which slices to show, and how."""
