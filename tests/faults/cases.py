"""What goes wrong on the way, as data: what the server does, and what the user then sees.

`RETRIED` faults are met twice: once followed by a
good answer, which must come through, and once for ever, which must end in the error.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import Any

from assay.errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTooLargeError,
    UnprocessableEntityError,
)
from servers import FIN, RST, Step, answer, completion, completion_body, error

TEXT = '{"name": "Ada Lovelace", "age": 36, "city": "Köln"}'
GOOD = completion(TEXT)
BODY = GOOD.partition(b"\r\n\r\n")[2]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def sized(length: Any, body: bytes = BODY) -> bytes:
    return HEAD + f"content-length: {length}\r\n\r\n".encode() + body


def packed(encoding: str, body: bytes) -> bytes:
    return answer(200, body, {"content-encoding": encoding})


@dataclass(frozen=True)
class Case:
    name: str
    steps: list[Step]
    error: type[APIError]
    says: str = ""
    """What the message must have in it."""
    fields: tuple[tuple[str, Any], ...] = ()
    """What the error's attributes must be."""
    timeout: float = 5.0
    """Seconds for one request: short where the fault is that nothing more comes."""

    @property
    def stalls(self) -> bool:
        return self.timeout < 5.0


CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
ONE_CHUNK = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n"
GZIPPED = gzip.compress(BODY)

RETRIED = [
    Case("reset before any byte", [RST], APIConnectionError),
    Case("closed before any byte", [FIN], APIConnectionError),
    Case("reset inside the headers", [b"HTTP/1.1 200 OK\r\nconte", RST], APIConnectionError),
    Case("closed inside the headers", [b"HTTP/1.1 200 OK\r\nconte", FIN], APIConnectionError),
    Case("reset inside the body", [sized(len(BODY), BODY[:90]), 0.02, RST], APIConnectionError),
    *[
        Case(f"closed after {cut} of {len(BODY)} body bytes", [sized(len(BODY), BODY[:cut]), FIN], APIConnectionError)
        for cut in (0, 1, 100, len(BODY) - 1)
    ],
    Case("closed early although the JSON is whole", [sized(len(BODY) + 10), FIN], APIConnectionError),
    Case("chunked without its last chunk", [CHUNKED + ONE_CHUNK, FIN], APIConnectionError),
    Case("chunk cut in the middle", [CHUNKED + ONE_CHUNK[:50], FIN], APIConnectionError),
    Case("chunk size that is no number", [CHUNKED + b"zz\r\n" + BODY, FIN], APIConnectionError),
    Case("chunk size beyond all bounds", [CHUNKED + b"f" * 40 + b"\r\n" + BODY, FIN], APIConnectionError),
    Case("content-length too large, connection open", [sized(len(BODY) + 10), 3.0], APITimeoutError, "within 0.5 s", timeout=0.5),
    Case("content-length too small", [sized(len(BODY) - 10), FIN], APIResponseError, "cut off"),
    Case("two content-lengths", [HEAD + b"content-length: 5\r\n" + sized(len(BODY))[len(HEAD) :], FIN], APIConnectionError),
    Case("content-length that is no number", [sized("many"), FIN], APIConnectionError),
    Case("negative content-length", [sized(-5), FIN], APIConnectionError),
    Case("no HTTP at all", [b"SSH-2.0-OpenSSH_9.6\r\n\r\n", FIN], APIConnectionError),
    Case("unknown HTTP version", [b"HTTP/9 x\r\n\r\n", FIN], APIConnectionError),
    Case("header line of 1 MB", [HEAD + b"x-long: " + b"a" * 1_000_000 + b"\r\n\r\n" + BODY, FIN], APIConnectionError),
    Case("headers without end", [HEAD, *[b"x: " + b"a" * 60_000 + b"\r\n"] * 100, FIN], APIConnectionError),
    Case("silence", [3.0], APITimeoutError, "within 0.5 s", timeout=0.5),
    Case("body of a byte now and then", [sized(len(BODY), b""), *[b" ", 0.06] * 40], APITimeoutError, "within 0.5 s", timeout=0.5),
    Case("headers of a byte now and then", [HEAD + b"x: ", *[b"a", 0.06] * 40], APITimeoutError, "within 0.5 s", timeout=0.5),
    Case("gzip cut in half", [packed("gzip", GZIPPED[: len(GZIPPED) // 2])], APIResponseError, "gzip"),
    Case("gzip without its end", [packed("gzip", GZIPPED[:-8])], APIResponseError, "gzip"),
    Case("gzip with a wrong checksum", [packed("gzip", GZIPPED[:-8] + b"\0" * 8)], APIResponseError, "gzip"),
    Case("said to be gzip and is not", [packed("gzip", BODY)], APIResponseError, "gzip"),
    Case("deflate cut", [packed("deflate", zlib.compress(BODY)[:-6])], APIResponseError, "deflate"),
    Case("200 without a body", [answer(200, b"")], APIResponseError, "no body"),
    Case("204", [b"HTTP/1.1 204 No Content\r\n\r\n"], APIResponseError, "no body"),
    *[
        Case(f"status {status}", [answer(status, error("not now", code="busy"))], kind, "not now", (("status_code", status), ("code", "busy")))
        for status, kind in [
            (408, APIStatusError),
            (409, ConflictError),
            (425, APIStatusError),
            (429, RateLimitError),
            (498, InternalServerError),
            (500, InternalServerError),
            (502, InternalServerError),
            (503, InternalServerError),
            (504, InternalServerError),
            (529, InternalServerError),
        ]
    ],
    Case(
        "page of a gateway with 502",
        [answer(502, b"<html><head><style>p{}</style></head><body><h1>Bad gateway</h1></body></html>", {"content-type": "text/html"})],
        InternalServerError,
        "502: the answer is not JSON (text/html): Bad gateway",
    ),
    Case(
        "a 400 that the server says to retry",
        [answer(400, error("try once more"), {"x-should-retry": "true"})],
        BadRequestError,
        "try once more",
    ),
]  # fmt: skip

FINAL = [
    Case("400", [answer(400, error("bad tool", code="c", param="tools"))], BadRequestError, "400: bad tool", (("code", "c"), ("param", "tools"))),
    Case("401", [answer(401, error("Invalid API Key", code="invalid_api_key"))], AuthenticationError, "Invalid API Key"),
    Case("403", [answer(403, error("no"))], PermissionDeniedError),
    Case("403 page of a firewall", [answer(403, b"<html>Access denied</html>", {"content-type": "text/html"})], PermissionDeniedError, "Access denied"),
    Case("404", [answer(404, error("The model `x` does not exist", code="model_not_found"))], NotFoundError, "`x`", (("code", "model_not_found"),)),
    Case("413", [answer(413, error("Request too large for model: TPM: Limit 6000", code="rate_limit_exceeded"))], RequestTooLargeError, "too large"),
    Case("422", [answer(422, {"detail": [{"loc": ["body"], "msg": "field required"}]})], UnprocessableEntityError, "field required"),
    Case("a 500 that the server says not to retry", [answer(500, error("never"), {"x-should-retry": "false"})], InternalServerError),
    Case("zstd, not asked for", [packed("zstd", b"\x28\xb5\x2f\xfd rest")], APIResponseError, "'zstd'"),
    Case("unknown content-encoding", [packed("x-foo", BODY)], APIResponseError, "'x-foo'"),
    Case("packed a hundred times over", [packed(", ".join(["gzip"] * 100), GZIPPED)], APIResponseError, "100 times"),
    Case("gzip bomb", [packed("gzip", gzip.compress(b" " * 100_000_000, 1))], APIResponseError, "more than"),
    Case("body without end", [CHUNKED, *[b"100000\r\n" + b" " * 0x100000 + b"\r\n"] * 80], APIResponseError, "more than"),
    Case("error in a 200", [answer(200, error("out of order", code="broken", type="x"))], APIResponseError, "out of order", (("code", "broken"), ("type", "x"))),
    Case("error in a 200 with its status", [answer(200, error("no such", code=404))], NotFoundError, "no such", (("status_code", 404),)),
    Case("no choices", [answer(200, completion_body("x", choices=[]))], APIResponseError, "no choices"),
    Case("choices of another kind", [answer(200, {"choices": {"0": "x"}})], APIResponseError, "no choices"),
    Case("a list", [answer(200, [1, 2])], APIResponseError, "list"),
    Case("page of a captive portal", [answer(200, b"<html><body>Log in to the Wi-Fi</body></html>", {"content-type": "text/html"})], APIResponseError, "Log in to the Wi-Fi"),
    Case("invalid UTF-8", [answer(200, BODY.replace(b"test-model", b"\xff\xfe"))], APIResponseError, "not UTF-8"),
    Case("latin-1", [answer(200, completion_body("x").__repr__().encode().replace(b"test", b"\xe9"), {"content-type": "application/json; charset=latin-1"})], APIResponseError, "not UTF-8"),
    Case("redirect to another host", [b"HTTP/1.1 307 x\r\nlocation: http://127.0.0.2:9/v1\r\ncontent-length: 0\r\n\r\n"], APIResponseError, "another origin"),
    Case("redirect without a place", [b"HTTP/1.1 307 x\r\ncontent-length: 0\r\n\r\n"], APIResponseError, "redirects"),
    Case("redirect that would make it a GET", [b"HTTP/1.1 302 x\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n"], APIResponseError, "redirects"),
    Case("redirects in a loop", [b"HTTP/1.1 308 x\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n"], APIResponseError, "loop"),
]  # fmt: skip


@dataclass(frozen=True)
class Harmless:
    """What looks odd and gives the right answer all the same."""

    name: str
    steps: list[Step]


HARMLESS = [
    Harmless("chunked", [CHUNKED + ONE_CHUNK + b"0\r\n\r\n"]),
    Harmless("a byte at a time", [bytes([byte]) for byte in GOOD]),
    Harmless("closed only long after the body", [GOOD, 3.0, FIN]),
    Harmless("no length, closed at the end", [HEAD + b"connection: close\r\n\r\n" + BODY, FIN]),
    Harmless("unknown content type", [answer(200, BODY, {"content-type": "application/unknown"})]),
    Harmless("charset latin-1 said, UTF-8 sent", [answer(200, BODY, {"content-type": "application/json; charset=latin-1"})]),
    Harmless("byte order mark", [answer(200, b"\xef\xbb\xbf" + BODY)]),
    Harmless("gzip not asked for", [packed("gzip", GZIPPED)]),
    Harmless("gzip of two members", [packed("gzip", gzip.compress(BODY[:70]) + gzip.compress(BODY[70:]))]),
    Harmless("gzip and something after it", [packed("gzip", GZIPPED + b"\0\0\0trailing")]),
    Harmless("gzip twice over", [packed("gzip, gzip", gzip.compress(GZIPPED))]),
    Harmless("deflate with zlib's frame", [packed("deflate", zlib.compress(BODY))]),
    Harmless("deflate without it", [packed("deflate", zlib.compress(BODY)[2:-4])]),
    Harmless("identity said", [packed("identity", BODY)]),
    Harmless("100 Continue first", [b"HTTP/1.1 100 Continue\r\n\r\n", GOOD]),
    Harmless("an event stream unasked", [answer(200, b"data: " + BODY.replace(b'"message"', b'"delta"') + b"\n\ndata: [DONE]\n\n")]),
    Harmless("content in parts", [answer(200, completion_body(None, message={"content": [{"type": "text", "text": TEXT[:9]}, {"type": "text", "text": TEXT[9:]}]}))]),
]  # fmt: skip
