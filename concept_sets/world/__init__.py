"""A fictional world, drawn and named by procedure: peoples, harms and everyday things."""
