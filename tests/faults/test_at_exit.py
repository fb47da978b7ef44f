"""A last call out of a `__del__`, when the interpreter is ending: an error of ours, no crash and no hang."""

from __future__ import annotations

import pytest

from faults.travel import program
from servers import Server, completion

SCRIPT = """
import sys
import assay, httpx

kind, url, used = sys.argv[1], sys.argv[2], sys.argv[3] == "used"
http = httpx.Client() if kind.startswith("httpx") else None


class Late:
    def __init__(self):
        self.groq = assay.Groq(api_key="x", base_url=url, http_client=http)
        self.extractor = assay.Extractor(str, model="m", base_url=url)
        self.itself = self
        if used:
            self.ask()

    def ask(self):
        match kind.removeprefix("httpx-"):
            case "whole":
                self.groq.chat.completions.create(model="m", messages=[])
            case "stream":
                list(self.extractor.stream("x"))
            case "extract":
                self.extractor.run("x").unwrap()
            case "map":
                list(self.extractor.map(["x"]))

    def __del__(self):
        try:
            self.ask()
        except assay.APIConnectionError as error:
            print("told:", error)


late = Late()
"""


@pytest.mark.parametrize("used", ["used", "unused"])
@pytest.mark.parametrize("kind", ["whole", "httpx-whole", "stream", "extract", "map"])
def test_a_call_at_the_end_of_the_program_is_refused(kind: str, used: str) -> None:
    with Server([completion('{"value": "x"}')]) as server:
        ran = program(SCRIPT, kind, server.base_url, used)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert "told:" in ran.stdout
        assert "the program is ending" in ran.stdout
        assert len(server.received) == (used == "used")
