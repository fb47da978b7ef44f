"""Which server is asked, and how: the table of providers, a connection, a compiled extraction."""
