"""The worklist: lesions are gone through, confirmed, rejected, changed and added, and all of it can be undone."""
