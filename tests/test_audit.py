"""No dependency has a vulnerability that is known, as far as an advisory database can be asked."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SECONDS = 90


def test_no_dependency_is_known_to_be_vulnerable() -> None:
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--format",
        "json",
        "--progress-spinner",
        "off",
        "--skip-editable",
        "--timeout",
        "10",
    ]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"no advisory database answered within {SECONDS} s")
    try:
        audited = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = ran.stderr.strip().splitlines() or ["nothing"]
        pytest.skip(f"no advisory database can be reached; pip-audit said: {said[-1]:.200}")
    found = [f"{one['name']} {one['version']}: {bug['id']}" for one in audited for bug in one.get("vulns", ())]
    assert not found
