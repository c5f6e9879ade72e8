"""Single axial slices: outline, sides and stones."""
