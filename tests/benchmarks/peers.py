"""The environment that the contestants run in: this package's dependencies and its peers, installed from the user's index."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ENVIRONMENT = HERE / ".env-peers"
PEERS = ("instructor", "openai", "groq", "pydantic-ai-slim[openai]", "aiohttp", "pyreqwest", "httpx")
_DONE = ENVIRONMENT / "installed"


def environment() -> Path:
    """Its Python; made by the first call, and by one for which the list of packages has changed."""
    python = ENVIRONMENT / "bin" / "python"
    own = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = "\n".join([*own, *PEERS])
    if not _DONE.exists() or _DONE.read_text() != wanted:
        print(f"installing the peers into {ENVIRONMENT.relative_to(ROOT)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        _install(python, *own)
        for peer in PEERS:  # one by one: what fails is missing alone
            _install(python, peer)
        _DONE.write_text(wanted)
    return python


def _install(python: Path, *packages: str) -> None:
    done = subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"could not install {' '.join(packages)}: {(done.stderr.strip().splitlines() or ['?'])[-1]}", flush=True)


def versions(python: Path) -> str:
    """The peers that are there, with their versions."""
    names = [name.partition("[")[0] for name in (*PEERS, "pydantic")]
    code = (
        "import importlib.metadata as m, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(name, m.version(name))\n"
        "    except m.PackageNotFoundError: print(name, 'NOT INSTALLED')\n"
    )
    out = subprocess.run([str(python), "-c", code, *names], capture_output=True, text=True, check=True).stdout
    return ", ".join(out.split("\n")[:-1])
