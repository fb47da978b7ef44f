"""Server-sent events: the same events however the bytes are cut, and nothing that the standard does not call one."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.errors import APIResponseError
from assay.wire.sse import ServerSentEvent, SSEDecoder


def decoded(*chunks: bytes, limit: int = 1 << 20) -> list[ServerSentEvent]:
    decoder = SSEDecoder(limit)
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def data(*chunks: bytes) -> list[str]:
    return [event.data for event in decoded(*chunks)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", ["a", "b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        (b"data: a\r\rdata: b\r\r", ["a", "b"]),
        (b"data: a\r\n\ndata: b\n\r\n", ["a", "b"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a \n\n", [" a "]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"data\n\n", [""]),
        (b"data: a\ndata:\n\n", ["a\n"]),
        (b": ping\n\ndata: a\n\n: ping\n\n", ["a"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"event: x\n\ndata: a\n\n", ["a"]),
        (b"id: 1\nretry: 10\nwhatever: x\ndata: a\n\n", ["a"]),
        (b"data: a\n\ndata: lost\n", ["a"]),
        (b"data: a\n\ndata: lost", ["a"]),
        ("data: a\u2028b\u2029c\u0085d\x0be\x0cf\n\n".encode(), ["a\u2028b\u2029c\u0085d\x0be\x0cf"]),
        ("data: Grüße, 東京, 🙂\n\n".encode(), ["Grüße, 東京, 🙂"]),
        (b"", []),
        (b"\n\n\n\n", []),
    ],
)
def test_what_is_an_event(stream: bytes, events: list[str]) -> None:
    assert data(stream) == events
    assert data(*(bytes([byte]) for byte in stream)) == events


def test_an_event_has_a_name_and_the_last_id() -> None:
    first, second, third = decoded(b"event: error\nid: 7\ndata: a\n\ndata: b\n\nid: 8\0\ndata: c\n\n")
    assert (first.event, first.id) == ("error", "7")
    assert (second.event, second.id) == ("message", "7")
    assert third.id == "7"


lines = st.lists(
    st.tuples(
        st.sampled_from(["data: ", "data:", "data", "event: ", "id: ", ": ", "", "retry: ", "x"]),
        st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=8),
        st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\r", "\r\n\r\n"]),
    ).map("".join),
    max_size=8,
)


@given(lines.map("".join), st.lists(st.integers(0, 200)))
@example("data: a\r\ndata: b\r\n\r\n", [8])
@example("data: a\r\n\r\n", [8, 9, 10])
def test_any_cut_gives_the_same_events(text: str, cuts: list[int]) -> None:
    stream = text.encode()
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[start:end] for start, end in itertools.pairwise(places)]
    assert decoded(*pieces) == decoded(stream) == decoded(*(bytes([byte]) for byte in stream))


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1))
def test_what_is_written_is_read(texts: list[str]) -> None:
    assert data(b"".join(b"data: " + text.encode() + b"\n\n" for text in texts)) == texts


@given(st.lists(st.binary(max_size=30)))
def test_no_bytes_crash_it(chunks: list[bytes]) -> None:
    try:
        decoded(*chunks, limit=50)
    except APIResponseError as error:
        assert error.code in {"too_large", "invalid_utf8"}


@pytest.mark.parametrize("stream", [b"data: " + b"x" * 2000, b"x" * 2000, b"data: xxxxxxxxx\n" * 200])
def test_an_event_over_the_limit_is_an_error(stream: bytes) -> None:
    decoder = SSEDecoder(limit=1000)
    with pytest.raises(APIResponseError, match="more than 1000 bytes"):
        for at in range(0, len(stream), 7):
            decoder.feed(stream[at : at + 7])


def test_pings_do_not_add_up_to_the_limit() -> None:
    assert data(*[b": ping\n"] * 500_000, b"data: a\n\n") == ["a"]


def test_a_long_event_in_small_pieces_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        decoder, piece = SSEDecoder(), b"x" * 16
        started = time.process_time()
        decoder.feed(b"data: ")
        for _ in range(size // 16):
            decoder.feed(piece)
        assert len(decoder.feed(b"\n\n")[0].data) == size // 16 * 16
        return time.process_time() - started

    seconds(100_000)
    assert seconds(3_200_000) < 40 * max(seconds(200_000), 0.005), (
        "16 times the bytes: quadratic work would take 256 times the time"
    )
