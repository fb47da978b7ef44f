"""A file for each format, all with the same function: `read(data, wanted) -> Document`."""
