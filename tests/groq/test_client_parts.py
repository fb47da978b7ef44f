"""The parts that do no I/O, by properties: however a body is cut the same comes out; an upload holds what was put in."""

from __future__ import annotations

import json
from collections.abc import Generator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api_server import chunk, events
from assay.errors import APIError, APIResponseError
from assay.groq.chat_types import ChatCompletion, ChatCompletionChunk
from assay.groq.chunks import Chunks
from assay.groq.cut import Decoder, Lines, Text, cut
from assay.groq.operations import read_completion
from assay.groq.upload import Upload

few = settings(max_examples=50, deadline=None)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
CUTS = st.lists(st.integers(1, 9), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


def pieces(body: bytes, cuts: list[int]) -> Generator[bytes, None, None]:
    for size in cuts:
        yield body[:size]
        body = body[size:]
    yield body


def decoded(body: bytes, cuts: list[int], decoder: Decoder[Any]) -> list[Any]:
    return list(cut(pieces(body, cuts), decoder))


@few
@given(TEXTS, CUTS)
def test_text_is_never_cut_within_a_character(text: str, cuts: list[int]) -> None:
    assert "".join(decoded(text.encode(), cuts, Text())) == text


@few
@given(st.lists(TEXTS.map(lambda text: text.replace("\n", "").rstrip("\r")), min_size=1), st.sampled_from(["\n", "\r\n"]), CUTS)
def test_lines_are_those_of_the_text(lines: list[str], end: str, cuts: list[int]) -> None:
    body = "".join(line + end for line in lines)
    assert decoded(body.encode(), cuts, Lines()) == lines
    assert decoded((body + "rest").encode(), cuts, Lines()) == [*lines, "rest"]


@few
@given(st.lists(TEXTS, max_size=6), CUTS)
def test_chunks_do_not_depend_on_the_cuts(words: list[str], cuts: list[int]) -> None:
    body = b"".join(events(*(chunk({"content": word}) for word in words), chunk({}, "stop")))
    chunks = decoded(body, cuts, Chunks({}))
    assert all(type(one) is ChatCompletionChunk for one in chunks)
    assert [one.choices[0].delta.content for one in chunks] == [*words, None]


@few
@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(0))
def test_a_stream_that_ends_early_never_passes_for_a_whole_one(words: list[str], at: int) -> None:
    body = b"".join(events(*(chunk({"content": word}) for word in words), done=False))
    with pytest.raises(APIResponseError):
        decoded(body[: at % (len(body) + 1)], [], Chunks({"content-type": "text/event-stream"}))


@few
@given(st.binary(max_size=200), CUTS)
def test_noise_is_a_typed_error(noise: bytes, cuts: list[int]) -> None:
    with pytest.raises(APIError):
        decoded(noise, cuts, Chunks({}))
    with pytest.raises(APIError):
        read_completion(noise, {})


@few
@given(st.dictionaries(TEXTS, JSON, max_size=6), st.sampled_from(["id", "usage", "x_groq", "created", "service_tier"]), JSON)
def test_any_object_with_choices_is_kept_to_the_letter(more: dict[str, Any], name: str, value: Any) -> None:
    data = {**more, "choices": [{"index": 0, "message": more}], name: value}
    data.pop("error", None)
    answer = read_completion(json.dumps(data).encode(), {})
    assert isinstance(answer, ChatCompletion)
    assert answer.to_dict() == data


@few
@given(st.dictionaries(st.sampled_from(["id", "choices", "usage", "x_groq", "new"]), JSON))
def test_any_object_is_a_chunk(data: dict[str, Any]) -> None:
    chunks = decoded(b"".join(events(data)), [], Chunks({}))
    assert [one.to_dict() for one in chunks] == [data]


@few
@given(st.binary(max_size=100), TEXTS, st.dictionaries(st.sampled_from(["purpose", "x", 'quo"te']), TEXTS, max_size=3))
def test_an_upload_holds_what_was_put_in(content: bytes, name: str, fields: dict[str, str]) -> None:
    body, content_type = Upload.of((name, content), fields).encode()
    boundary = content_type.partition("boundary=")[2].encode()
    *parts, last = body.split(b"--" + boundary)[1:]
    assert last == b"--\r\n"
    heads = [part.partition(b"\r\n\r\n") for part in parts]
    assert [value.removesuffix(b"\r\n") for _, _, value in heads] == [*(text.encode() for text in fields.values()), content]
    for head, _, _ in heads:
        headers = message_from_bytes(head.removeprefix(b"\r\n") + b"\r\n\r\n")
        assert set(headers.keys()) <= {"Content-Disposition", "Content-Type"}, "a name cannot add headers"
        assert headers.get_content_disposition() == "form-data"


def test_an_upload_is_named_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"{}")
    for file in (path, path.open("rb"), ("rows.jsonl", path), ("rows.jsonl", b"{}", None)):
        upload = Upload.of(file, {})
        assert (upload.name, upload.content) == ("rows.jsonl", b"{}")
        getattr(file, "close", lambda: None)()
    with path.open() as text, pytest.raises(TypeError, match="'rb'"):
        Upload.of(text, {})  # type: ignore[arg-type]
    for wrong in ("rows.jsonl", 5):
        with pytest.raises(TypeError, match="bytes, an open file"):
            Upload.of(wrong, {})  # type: ignore[arg-type]
