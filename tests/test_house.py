"""The shape of the house: who may import whom, what an import costs, how big a file may grow."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src"

# One row per storey, the ground floor first: a room imports only from itself and from rows above it in this table.
LAYERS = (
    {"types"},
    {"errors", "pointer"},
    {"options", "words"},
    {"effects"},
    {"drive", "retry", "problems", "ground"},
    {"schema", "decode"},
    {"prompt"},
    {"engine", "wire"},
    {"prices"},
    {"providers"},
    {"backends"},
    {"connect", "compile", "fan"},
    {"api", "client"},
    {"doctor", "batch"},
    {"evals", "report", "adapters"},
    {"cli"},
)

# Rooms that know nothing of each other, although one lies above the other.
STRANGERS = {
    ("backends", "engine"),
    ("backends", "schema"),
    ("backends", "decode"),
    ("providers", "engine"),
    ("client", "engine"),
}

# Where an import may stand inside a function: these modules serve optional extras or start slowly.
LAZY_PLACES = ("assay.adapters", "assay.backends.local", "assay.cli")

# Packages that are imported only when they are used, wherever that is.
LAZY_PACKAGES = {
    "httpx": "only for an injected client",
    "jsonschema": "only for a target that is a JSON Schema",
    "referencing": "comes with jsonschema",
    "pyarrow": "the extra `parquet`",
}

# What `import assay` must not load.
HEAVY = (
    "instructor",
    "openai",
    "groq",
    "typer",
    "rich",
    "jsonschema",
    "aiohttp",
    "httpx",
    "xllamacpp",
    "pyarrow",
    "yaml",
    "assay.cli",
)

MODULES = {
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path for path in sorted(SRC.rglob("*.py"))
}


def parse(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imported(tree: ast.AST, module: str) -> set[str]:
    """The full names of what a syntax tree imports; names that are modules of ours are resolved to those."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import in line {node.lineno}"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else str(node.module))
    return found


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def storey(name: str) -> int:
    return next(at for at, rooms in enumerate(LAYERS) if name in rooms)


IMPORTS = {module: imported(parse(module), module) - {module} for module in MODULES}
EDGES = sorted((module, other) for module, others in IMPORTS.items() for other in others if other.split(".")[0] == "assay")


def test_every_room_stands_on_a_storey() -> None:
    rooms = {room(module) for module in MODULES} - {""}
    assert rooms <= set(chain(*LAYERS)), "a new room: give it a row in LAYERS"


def test_imports_only_go_down() -> None:
    upward = [
        f"{module} imports {other}"
        for module, other in EDGES
        if room(module) and room(module) != room(other) and (not room(other) or storey(room(module)) <= storey(room(other)))
    ]
    assert not upward


def test_strangers_stay_strangers() -> None:
    met = [f"{module} imports {other}" for module, other in EDGES if (room(module), room(other)) in STRANGERS]
    assert not met


def test_no_import_cycle() -> None:
    try:
        TopologicalSorter(
            {module: {other for other in others if other in MODULES} for module, others in IMPORTS.items()}
        ).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


def test_imports_inside_functions_only_where_they_must_be_lazy() -> None:
    hidden = [
        f"{module}:{function.lineno} {function.name} imports {name}"
        for module in MODULES
        if not module.startswith(LAZY_PLACES)
        for function in ast.walk(parse(module))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for name in imported(function, module)
        if name.split(".")[0] not in LAZY_PACKAGES
    ]
    assert not hidden


def test_only_its_adapter_knows_instructor() -> None:
    knowing = {module for module, others in IMPORTS.items() if any(other.split(".")[0] == "instructor" for other in others)}
    assert all(module.startswith("assay.adapters") for module in knowing)


@pytest.mark.parametrize(
    "module", [module for module in MODULES if any("__all__" in ast.dump(node) for node in parse(module).body)]
)
def test_all_is_what_is_there(module: str) -> None:
    names = importlib.import_module(module).__all__
    loaded = importlib.import_module(module)
    assert list(names) == sorted(names, key=_sort_key), "sorted, constants and classes as ruff sorts them"
    assert [name for name in names if not hasattr(loaded, name)] == []


def _sort_key(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


def test_the_front_door_exports_all_that_it_names() -> None:
    import assay

    public = {name for name in dir(assay) if not name.startswith("_")} - {room(module) for module in MODULES}
    assert set(assay.__all__) - {room(module) for module in MODULES} - {"__version__"} == public - {"annotations"}


def test_import_is_light() -> None:
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import assay"],
        capture_output=True, text=True, timeout=60, check=True, env={"PYTHONPATH": str(SRC)},
    )  # fmt: skip
    loaded = {line.split("|")[-1].strip() for line in ran.stderr.splitlines() if line.startswith("import time:")}
    assert "assay" in loaded
    assert sorted(name for name in loaded if name in HEAVY or name.split(".")[0] in HEAVY) == []


@pytest.mark.parametrize("path", sorted(chain(SRC.rglob("*.py"), (ROOT / "examples").glob("*.py"))), ids=lambda path: path.name)
def test_no_file_outgrows_a_reader(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


def test_most_files_are_short() -> None:
    sizes = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES.values())
    assert sizes[len(sizes) // 2] <= 150


def test_every_module_says_what_it_is_for() -> None:
    assert [module for module in MODULES if not ast.get_docstring(parse(module))] == []


def test_broad_excepts_stand_only_at_borders_and_say_so() -> None:
    bare = [
        f"{module}:{node.lineno}"
        for module in MODULES
        for lines in [MODULES[module].read_text(encoding="utf-8").splitlines()]
        for node in ast.walk(parse(module))
        if isinstance(node, ast.ExceptHandler) and _broad(node.type) and "#" not in lines[node.lineno - 1]
    ]
    assert bare == []


def _broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = {node.id for node in ast.walk(caught) if isinstance(node, ast.Name)}
    return bool(names & {"Exception", "BaseException"})


@pytest.mark.parametrize("path", ["README.md", "CHANGELOG.md", "pyproject.toml"])
def test_the_project_speaks_of_itself_alone(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert [word for word in ("/work/", "/root/", "/home/", "gsk_", "sk-") if word in text] == []
