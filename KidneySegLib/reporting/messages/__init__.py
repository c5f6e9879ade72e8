"""Words of the report and of flags, in all its languages."""
