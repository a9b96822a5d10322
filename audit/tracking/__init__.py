"""Finished audits published to trackers of experiments: one way, and never read back."""
