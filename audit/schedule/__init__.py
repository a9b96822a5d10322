"""Audits that repeat: what is due, who runs it, what came out, and who is told."""
