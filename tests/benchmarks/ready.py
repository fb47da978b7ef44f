"""What it takes until one can ask: processor time, time and memory of fresh processes, in interleaved rounds."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from pathlib import Path

from arena import ENV, Results

_MODEL = """
from pydantic import BaseModel
class Person(BaseModel):
    name: str
    age: int
    email: str | None = None
    tags: list[str] = []
    height: float | None = None
"""

CASES = {
    "bare Python": "pass",
    "import httpx, pydantic, tenacity": "import httpx, pydantic, tenacity; pydantic.BaseModel; tenacity.Retrying",
    "assay: a client": "from assay import Groq; Groq(api_key='x').chat.completions.create",
    "assay: an extractor of a class with 5 fields": _MODEL
    + "import assay; assay.Extractor(Person, model='groq/openai/gpt-oss-20b', api_key='x').extract",
    "groq SDK: a client": "from groq import Groq; Groq(api_key='x').chat.completions.create",
    "openai SDK: a client": "from openai import OpenAI; OpenAI(api_key='x').chat.completions.create",
    "Instructor: a client": "import instructor; from openai import OpenAI\n"
    "instructor.from_openai(OpenAI(api_key='x'), mode=instructor.Mode.JSON).chat.completions.create",
    "pydantic-ai: an agent for a class with 5 fields": _MODEL + "from pydantic_ai import Agent, PromptedOutput\n"
    "from pydantic_ai.models.openai import OpenAIChatModel\n"
    "from pydantic_ai.providers.openai import OpenAIProvider\n"
    "Agent(OpenAIChatModel('m', provider=OpenAIProvider(api_key='x')), output_type=PromptedOutput(Person)).run_sync",
}
BASE = "import httpx, pydantic, tenacity"
BARE = "bare Python"
SLOW = tuple(list(CASES)[4:])

_PEAK = "\nprint(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
"""Kilobytes. `getrusage` would count what the parent had when it forked."""


def measure(python: Path, rounds: int) -> dict[str, Results]:
    """Net of bare Python, round by round; the slow ones in fewer rounds."""
    results = {name: Results() for name in CASES}
    for turn in range(rounds):
        bare = _once(python, CASES[BARE])
        for name, result in results.items():
            if result.failed or name == BARE or (name in SLOW and turn >= max(2, rounds // 3)):
                continue
            try:
                found = _once(python, CASES[name])
            except subprocess.CalledProcessError as error:
                last = (error.stderr.strip().splitlines() or ["?"])[-1]
                result.failed = "not installed" if "No module named" in last else last[:100]
            else:
                result.rounds.append({key: found[key] - bare[key] for key in found})
    del results[BARE]
    return results


def _once(python: Path, code: str) -> dict[str, float]:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    env = {name: value for name, value in ENV.items() if not name.startswith("OPENAI")} | {"PATH": os.environ["PATH"]}
    out = subprocess.run([str(python), "-c", code + _PEAK], env=env, capture_output=True, text=True, check=True).stdout
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - started
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": cpu, "wall": wall, "mb": int(out) / 1024}
