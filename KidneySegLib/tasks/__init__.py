"""Tasks: what differs between CT volumes, single slices and whatever comes later, one file each; and how one is run."""
