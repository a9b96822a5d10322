"""How it is told: renderings of an audit result."""
