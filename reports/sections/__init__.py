"""One module for each section of the report: result document in, plain view data out."""
