"""GROQ_LOG=info or debug: the log of requests on stderr, as with the groq package. Keys and headers are never logged."""

from __future__ import annotations

import logging
import os


def follow_environment() -> None:
    """Switches the log on when GROQ_LOG asks for it."""
    level = {"info": logging.INFO, "debug": logging.DEBUG}.get(os.environ.get("GROQ_LOG", "").lower())
    if level is not None:
        logging.basicConfig(format="[%(asctime)s - %(name)s - %(levelname)s] %(message)s")
        logging.getLogger("assay").setLevel(level)
