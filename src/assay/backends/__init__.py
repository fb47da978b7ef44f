"""How a request travels: transports, retries, limits, and chat completions over them."""
