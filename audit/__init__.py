"""What is concluded and kept: plans, findings, the result document, the command line."""

__version__ = "0.1.0"
