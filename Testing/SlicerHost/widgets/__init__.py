"""Stand-ins of the widgets of CTK and Slicer that panels of scripted modules use."""
