"""Backends: the only door to torch and open_clip."""
