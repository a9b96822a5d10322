"""The roof: the only place where all rooms meet."""
