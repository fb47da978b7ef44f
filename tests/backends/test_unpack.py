"""Unpacking of bodies: whole streams give what was packed however they are cut, anything less is an error, nothing grows unbounded."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.backends.transports.unpack import unpacker
from assay.errors import APIResponseError


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("", bytes),
    "identity": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "two members": ("gzip", lambda data: gzip.compress(data[:3]) + gzip.compress(data[3:])),
    "gzip with more after it": ("x-gzip", lambda data: gzip.compress(data) + b"\0\0rubbish"),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "twice": ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
}


def unpacked(encoding: str, *pieces: bytes, limit: int = 1 << 20) -> bytes:
    opened = unpacker({"content-encoding": encoding}, limit)
    data = b"".join(opened.feed(piece) for piece in pieces)
    opened.end()
    return data


@pytest.mark.parametrize("name", PACKERS)
@given(data=st.binary(min_size=1, max_size=200), size=st.integers(1, 50))
def test_any_cut_unpacks_to_what_was_packed(name: str, data: bytes, size: int) -> None:
    encoding, pack = PACKERS[name]
    packed = pack(data)
    assert unpacked(encoding, *(packed[at : at + size] for at in range(0, len(packed), size))) == data


@pytest.mark.parametrize("name", ["gzip", "deflate", "raw deflate", "twice"])
@given(data=st.binary(min_size=1, max_size=200), cut=st.floats(0, 1, exclude_max=True))
def test_a_stream_without_its_end_is_an_error(name: str, data: bytes, cut: float) -> None:
    encoding, pack = PACKERS[name]
    packed = pack(data)
    with pytest.raises(APIResponseError) as caught:
        unpacked(encoding, packed[: int(len(packed) * cut)])
    assert caught.value.code == "bad_encoding"


@given(st.binary(max_size=100), st.sampled_from(["gzip", "deflate", "gzip, deflate"]))
def test_no_bytes_crash_it(data: bytes, encoding: str) -> None:
    try:
        unpacked(encoding, data)
    except APIResponseError as error:
        assert error.code == "bad_encoding"


@pytest.mark.parametrize("name", PACKERS)
def test_more_than_the_limit_is_an_error(name: str) -> None:
    encoding, pack = PACKERS[name]
    with pytest.raises(APIResponseError, match="more than 1000 bytes") as caught:
        unpacked(encoding, pack(bytes(5000)), limit=1000)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize("encoding", ["br", "zstd", "x-foo", "gzip, br", "gzip, gzip, gzip"])
def test_what_was_not_asked_for_is_refused(encoding: str) -> None:
    with pytest.raises(APIResponseError) as caught:
        unpacker({"content-encoding": encoding})
    assert caught.value.code == "encoding"
