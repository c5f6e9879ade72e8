"""Files that carry the result: label maps, tables, pictures."""
