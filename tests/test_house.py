"""The shape of the house: who may import whom, what an import costs, how big a file may grow."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src"

# One row per storey, the ground floor first: a room imports only from itself and from rows above it in this table.
LAYERS = (
    {"types"},
    {"data", "prices"},
    {"review"},
    {"outcome"},
    {"errors"},
    {"documents"},
    {"options", "flow"},
    {"schema"},
    {"coerce", "decode"},
    {"target"},
    {"ground"},
    {"engine", "wire"},
    {"split"},
    {"backends"},
    {"connect"},
    {"groq", "streaming"},
    {"doctor", "extractor"},
    {"api"},
    {"batch"},
    {"evals"},
    {"adapters", "report", "testing"},
    {"cli"},
    {"__main__"},
)

# Rooms that know nothing of each other, although one lies above the other.
STRANGERS = {("backends", "engine"), ("backends", "target"), ("backends", "decode"), ("groq", "engine"), ("groq", "schema")}

# The imports that stand inside a function, because what they load is slow or an optional extra.
LAZY = {
    ("assay.backends.http", "assay.backends.transports.httpx_transport"): "httpx, for those who bring a client of it",
    ("assay.decode.reading", "assay.decode.mending"): "the lenient reader, for replies that are not plain JSON",
    ("assay.connect.connection", "assay.backends.local"): "the extra `local`",
    ("assay.target.build", "assay.target.drafts"): "jsonschema, for a target that is a JSON Schema",
    ("assay.batch.formats", "assay.batch.formats.parquet"): "the extra `parquet`",
    ("assay.batch.formats", "assay.batch.formats.arrow"): "the extra `parquet`",
}

# Rooms whose functions may import: they serve optional extras, or are never imported by another room.
LAZY_ROOMS = ("assay.adapters", "assay.backends.local", "assay.cli", "assay.documents.formats", "assay.testing.plugin")

# Packages that are imported only when they are used, wherever that is.
LAZY_PACKAGES = {
    "httpx": "only for an injected client",
    "regex": "only for patterns that pydantic's engine does not take",
    "resource": "not on Windows",
    "pyarrow": "the extra `parquet`",
    "jinja2": "only for who has a template",
    "compression": "new in 3.14, for .zst",
    "backports": "the extra `zst`",
    "semantic_text_splitter": "only for who has a long text",
    "uvloop": "only for who needs a loop of our own",
    "charset_normalizer": "only for bytes that are not UTF-8",
    "difflib": "only for who mistyped a name",
    "rapidfuzz": "only for a text that does not stand in its source",
    "ctypes": "only for an interrupted call",
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
    "pypdfium2",
    "selectolax",
    "PIL",
    "pyarrow",
    "yaml",
    "rapidfuzz",
    "assay.cli",
)

MODULES = {
    ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): path for path in sorted(SRC.rglob("*.py"))
}


@cache
def parse(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imported(tree: ast.AST, *, types: bool = True) -> set[str]:
    """The full names of what a syntax tree imports: of modules where a name is one. `types`: for type checkers alone, too."""
    if not types and isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING":
        return set()
    match tree:
        case ast.Import(names=names):
            return {alias.name for alias in names}
        case ast.ImportFrom(module=str(source), names=names, level=0):
            return {inner if (inner := f"{source}.{alias.name}") in MODULES else source for alias in names}
        case ast.ImportFrom(lineno=line):
            raise AssertionError(f"a relative import in line {line}")
    return set().union(*(imported(child, types=types) for child in ast.iter_child_nodes(tree)))


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def storey(name: str) -> int:
    return next(at for at, rooms in enumerate(LAYERS) if name in rooms)


IMPORTS = {module: imported(parse(module)) - {module} for module in MODULES}
EDGES = sorted((module, other) for module, others in IMPORTS.items() for other in others if other.split(".")[0] == "assay")


def test_every_room_stands_on_a_storey() -> None:
    rooms = {room(module) for module in MODULES} - {""}
    assert rooms <= set(chain(*LAYERS)), "a new room: give it a row in LAYERS"


def test_the_map_of_the_house_says_the_same() -> None:
    text = (SRC / "assay" / "README.md").read_text(encoding="utf-8")
    rows = [
        frozenset(re.findall(r"\[([a-z_]+)/?\]\(", row.split("|")[1])) for row in re.findall(r"^\| \[.*$", text, re.MULTILINE)
    ]
    assert rows == [frozenset(rooms) for rooms in LAYERS if rooms != {"__main__"}]


def test_few_modules_stand_loose_at_the_root() -> None:
    assert len([module for module in MODULES if module.count(".") == 1 and MODULES[module].stem != "__init__"]) <= 10


def test_imports_only_go_down() -> None:
    upward = [
        f"{module} imports {other}"
        for module, other in EDGES
        if room(module) and room(module) != room(other) and not _below(room(other), room(module))
    ]
    assert not upward


def _below(lower: str, upper: str) -> bool:
    """The front door, `assay` itself, lies above all but the command line."""
    return storey(lower) < storey(upper) if lower else upper == "cli"


def test_strangers_stay_strangers() -> None:
    met = [f"{module} imports {other}" for module, other in EDGES if (room(module), room(other)) in STRANGERS]
    assert not met


def test_no_import_cycle() -> None:
    graph = {module: (imported(parse(module), types=False) - {module}) & MODULES.keys() for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


def test_imports_inside_functions_only_where_they_must_be_lazy() -> None:
    hidden = [
        f"{module}:{function.lineno} {function.name} imports {name}"
        for module in MODULES
        if not module.startswith(LAZY_ROOMS)
        for function in ast.walk(parse(module))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for name in imported(function)
        if name.split(".")[0] not in LAZY_PACKAGES
        and not any(module.startswith(place) and name.startswith(lazy) for place, lazy in LAZY)
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

    imports = [
        node
        for node in ast.walk(parse("assay"))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("assay")
    ]
    assert set(assay.__all__) - {"__version__"} == {alias.name for node in imports for alias in node.names}


def test_import_is_light() -> None:
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import assay"],
        capture_output=True, text=True, timeout=60, check=True, env={"PYTHONPATH": str(SRC)},
    )  # fmt: skip
    loaded = {line.split("|")[-1].strip() for line in ran.stderr.splitlines() if line.startswith("import time:")}
    assert "assay" in loaded
    assert sorted(name for name in loaded if name in HEAVY or name.split(".")[0] in HEAVY) == []


def test_no_file_outgrows_a_reader() -> None:
    paths = chain.from_iterable((ROOT / folder).rglob("*.py") for folder in ("src", "examples"))
    assert [str(path) for path in paths if _lines(path) > 500] == []


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_most_files_are_short() -> None:
    sizes = sorted(map(_lines, MODULES.values()))
    assert sizes[len(sizes) // 2] <= 150


def test_every_module_says_what_it_is_for() -> None:
    assert [module for module in MODULES if not (ast.get_docstring(parse(module)) or "").strip()] == []


def test_broad_excepts_stand_only_at_borders_and_say_so() -> None:
    bare = [
        f"{module}:{node.lineno}"
        for module in MODULES
        for lines in [MODULES[module].read_text(encoding="utf-8").splitlines()]
        for node in ast.walk(parse(module))
        if isinstance(node, ast.ExceptHandler)
        and _broad(node.type)
        and "#" not in lines[node.lineno - 1]
        and not _raises_on(node)
    ]
    assert bare == []


def _raises_on(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = {node.id for node in ast.walk(caught) if isinstance(node, ast.Name)}
    return bool(names & {"Exception", "BaseException"})


@pytest.mark.parametrize("path", ["README.md", "CHANGELOG.md", "pyproject.toml"])
def test_the_project_speaks_of_itself_alone(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert [word for word in ("/root/", "/home/", "gsk_", "sk-") if word in text] == []
