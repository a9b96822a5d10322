"""The door to torch and open_clip."""
