"""Mathematical models of the mapping problem, one file each, registered through entry points."""
