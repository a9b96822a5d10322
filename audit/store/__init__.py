"""What is remembered of audits: folders are the truth, a database is their index."""
