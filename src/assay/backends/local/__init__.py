"""The embedded model: llama.cpp in this process, behind the same port as a server."""
