"""Pages of a store's history, rendered from plain data; whoever has the store hands it in."""
