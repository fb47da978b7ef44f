"""Finding one's way in JSON data: pointers (RFC 6901), and reading, writing and removing what they name."""
