"""Work that is bounded: hostile patterns, numbers, lists and schemas, which others run for hours with. Sizes decide, not clocks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay import JSONSchema
from assay.coerce import Coercer
from assay.errors import SchemaError
from assay.schema.passes import form
from assay.schema.render import render
from assay.target.build import Target, target
from assay.target.lint import lint
from assay.target.patterns import searcher
from assay.target.problems import Invalid
from assay.types import PromptStyle


def takes(schema: dict[str, Any], data: Any) -> bool:
    made = target(JSONSchema({"type": "object", "properties": {"a": schema}}))
    try:
        made.validate({"a": data})
    except Invalid as invalid:
        assert invalid.problems[0].path in ("/a", "") or invalid.problems[0].path.startswith("/a/")
        return False
    return True


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^\p{L}+$", "Ünïq", "a1"),
        (r"^(?<word>a)b$", "ab", "ba"),
        (r"^a[^]b$", "a\nb", "ab"),
        (r"^\u{1F600}$", "😀", "x"),
        (r"^\u00e9$", "é", "e"),
        (r"^\cA$", "\x01", "A"),
        (r"^(?!x)y", "y", "xy"),
        (r"^(a)\1$", "aa", "ab"),
        (r"^[[]$", "[", "]"),
        (r"^[a&&b]+$", "&a", "c"),
        (r"a\/b", "a/b", "ab"),
        ("b", "abc", "ac"),
    ],
)
def test_patterns_are_read_as_ecma_262_writes_them(pattern: str, good: str, bad: str) -> None:
    assert takes({"type": "string", "pattern": pattern}, good)
    assert not takes({"type": "string", "pattern": pattern}, bad)
    assert takes(
        {"type": "object", "patternProperties": {pattern: {"type": "integer"}}, "additionalProperties": False}, {good: 1}
    )
    assert not takes({"type": "object", "patternProperties": {pattern: True}, "additionalProperties": False}, {bad: 1})


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"^(a|a)*$", r"^(?=b|a)(a+)+$", r"(x+x+)+y|^(a|aa)+$"])
def test_a_pattern_ends(pattern: str) -> None:
    assert not takes({"type": "string", "pattern": pattern}, "a" * 3000 + "!")


def test_a_pattern_that_no_engine_reads_is_refused() -> None:
    with pytest.raises(ValueError, match="at position"):
        searcher("(")
    with pytest.raises(SchemaError, match="not a valid pattern"):
        target({"type": "object", "properties": {"a": {"pattern": "(?<n"}}})


@pytest.mark.parametrize(
    ("step", "number", "good"),
    [
        (0.01, 19.99, True),
        (0.01, 19.995, False),
        (0.1, 0.3, True),
        (0.1, 10**400, True),
        (7, 10**400, False),
        (1e-300, 1e300, True),
        (3, 1e400, False),
        (2.5, 5, True),
    ],
)
def test_multiples_are_compared_as_they_are_written(step: float, number: float, good: bool) -> None:
    assert takes({"type": "number", "multipleOf": step}, number) is good


def test_long_lists_are_compared_in_one_pass() -> None:
    items = [{"n": n, "x": [n, {"y": str(n)}]} for n in range(20_000)]
    assert takes({"uniqueItems": True}, items)
    assert not takes({"uniqueItems": True}, [*items, {"x": [3, {"y": "3"}], "n": 3.0}])
    assert takes({"uniqueItems": True}, [1, True, "1", 0, False, None, [1], [True]])


def test_a_long_iri_is_checked() -> None:
    draft = {"type": "string", "format": "iri"}
    assert takes(draft, "http://exämple.test/" + "ö" * 20_000)
    assert not takes(draft, "http://exämple.test/" + "ö " * 10_000)


NODE = {"type": "object", "properties": {"kid": {"allOf": [{"$ref": "#/$defs/n"}, {"$ref": "#/$defs/n"}]}}}


def test_checking_stops_where_it_would_double_at_each_level_of_the_data() -> None:
    data: dict[str, Any] = {}
    for _ in range(40):
        data = {"kid": data}
    made = target({"$ref": "#/$defs/n", "$defs": {"n": NODE}})
    with pytest.raises(Invalid) as caught:
        made.validate(data)
    assert "too many steps" in caught.value.problems[0].want


def test_data_that_is_nested_too_deeply_is_a_problem() -> None:
    data: dict[str, Any] = {}
    for _ in range(150):
        data = {"kid": data}
    made = target(
        {"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"kid": {"anyOf": [{"$ref": "#/$defs/n"}]}}}}}
    )
    try:
        made.validate(data)
    except Invalid as invalid:
        assert "nested" in invalid.problems[0].want


def chained(number: int, holds: str) -> dict[str, Any]:
    """Definitions each of which refers to the next one twice: written out, the last stands there 2 ** number times."""
    defs: dict[str, Any] = {}
    for n in range(number):
        ref = {"$ref": f"#/$defs/d{n + 1}"}
        defs[f"d{n}"] = {
            "properties": {"type": "object", "properties": {"x": ref, "y": ref}, "required": ["x", "y"]},
            "anyOf": {"anyOf": [{"type": "array", "items": ref}, ref]},
            "allOf": {"type": "object", "allOf": [{"properties": {"x": ref}}, {"properties": {"x": ref, f"y{n}": ref}}]},
            "prefixItems": {"type": "array", "prefixItems": [ref, ref]},
        }[holds]
    defs[f"d{number}"] = {"type": "string", "minLength": 2_000_000_000}
    return {"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": defs}


@pytest.mark.parametrize("holds", ["properties", "anyOf", "allOf", "prefixItems"])
@pytest.mark.parametrize("number", [25, 300])
def test_what_a_schema_makes_is_bounded_by_its_size(holds: str, number: int) -> None:
    schema = chained(number, holds)
    made: Target[Any] = target(JSONSchema(schema))
    size = len(json.dumps(schema))
    for style in PromptStyle:
        assert len(render(made.json_schema, style)) < 10 * size + 4000
    for dialect in ("plain", "nullable", "strict", "llama.cpp", "anthropic", "gemini"):
        assert len(json.dumps(form(made.json_schema, dialect)[0])) < 10 * size + 4000
    assert len(json.dumps(made.worked_example())) < 100_000
    lint(made)


@pytest.mark.parametrize("depth", [12, 60, 150])
def test_coercing_a_recursive_union_is_bounded(depth: int) -> None:
    tree = {
        "anyOf": [
            {"type": "array", "items": {"$ref": "#/$defs/t"}},
            {"type": "object", "properties": {"k": {"$ref": "#/$defs/t"}}, "required": ["k"]},
            {"type": "integer"},
        ]
    }
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/t"}}, "$defs": {"t": tree}}
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    made = target(schema)
    Coercer(made.json_schema)({"a": value})
    with pytest.raises(Invalid):
        made.validate({"a": value})


def test_a_bound_beyond_all_floats_is_not_sent() -> None:
    made = target({"type": "object", "properties": {"a": {"type": "number", "maximum": 1e400}}})
    for dialect in ("plain", "nullable", "strict", "llama.cpp"):
        assert json.dumps(form(made.json_schema, dialect)[0], allow_nan=False)


def test_where_nothing_is_allowed_the_complaint_says_so() -> None:
    with pytest.raises(Invalid) as caught:
        target({"type": "object", "properties": {"a": {"enum": []}}}).validate({"a": 1})
    assert "no value is allowed" in caught.value.problems[0].want
