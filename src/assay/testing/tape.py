"""What a cassette holds, and how it is written: one YAML document an interaction, made to be read and reviewed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from assay.data.paths import MISSING, get, leaves
from assay.errors import ConfigurationError
from assay.flow.effects import Request, Response
from assay.types import JSON

KEPT = frozenset({
    "content-type", "retry-after", "x-request-id", "request-id", "x-groq-region", "apim-request-id",
})  # fmt: skip
"""Headers of an answer that are kept, and those of rate limits. No header of a request is: one of them holds the key."""
SECRET = frozenset({"authorization", "api-key", "x-api-key", "x-goog-api-key", "proxy-authorization"})
SHORTEST = 6
"""Characters of a key that is taken out of bodies: shorter ones are the `x` of local servers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a cassette knows it: what makes two requests the same."""

    method: str
    path: str
    body: JSON
    """JSON data where the body is JSON, else its text."""

    @classmethod
    def of(cls, request: Request) -> Asked:
        return cls(request.method, urlsplit(request.url).path, _read(_without_key(request.body, request)))

    def differs(self, other: Asked) -> list[str]:
        """The places where two requests differ: `method`, `path`, or JSON Pointers into the bodies."""
        found = [name for name in ("method", "path") if getattr(self, name) != getattr(other, name)]
        if self.body == other.body:
            return found
        ways = dict.fromkeys(way for body in (self.body, other.body) for way, _ in leaves(body))
        return found + [way or "the body" for way in ways if _at(self.body, way) != _at(other.body, way)]


def _at(body: JSON, way: str) -> JSON:
    found = get(body, way)
    return "(nothing)" if found is MISSING else found


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request, and what was answered."""

    asked: Asked
    response: Response

    @classmethod
    def of(cls, request: Request, response: Response) -> Interaction:
        kept = {name: value for name, value in response.headers.items() if name in KEPT or "ratelimit" in name}
        body = _without_key(response.body, request)
        return cls(Asked.of(request), Response(response.status, kept, body))


def read(path: Path) -> list[Interaction]:
    """The interactions of a cassette. Raises `ConfigurationError` for a file of another kind."""
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        return [_loaded(document) for document in documents if document is not None]
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path} is not a cassette: {' '.join(str(error).split())[:200]}") from error


def write(path: Path, interactions: list[Interaction]) -> None:
    """The cassette, written whole and put in place at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"---\n{_dumped(interaction)}" for interaction in interactions)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _dumped(interaction: Interaction) -> str:
    asked, response = interaction.asked, interaction.response
    document = {
        "request": {"method": asked.method, "path": asked.path, "body": _shown(asked.body)},
        "response": {"status": response.status, "headers": dict(response.headers), **_body(response.body)},
    }
    return yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)


def _shown(body: JSON) -> str:
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, indent=2)


def _body(body: bytes) -> Mapping[str, str]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}
    try:
        return {"json": json.dumps(json.loads(text), ensure_ascii=False, indent=2)}
    except ValueError:
        return {"text": text}


def _loaded(document: Any) -> Interaction:
    request, response = document["request"], document["response"]
    asked = Asked(request["method"], request["path"], _read(request["body"].encode()))
    return Interaction(asked, Response(int(response["status"]), dict(response["headers"] or {}), _bytes(response)))


def _bytes(response: Mapping[str, str]) -> bytes:
    if "base64" in response:
        return base64.b64decode(response["base64"])
    text = response["json"] if "json" in response else response["text"]
    return text.encode()


def _read(body: bytes) -> JSON:
    """A body for comparing: JSON data, so that neither order of keys nor spaces tell two requests apart."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="backslashreplace")


def _without_key(body: bytes, request: Request) -> bytes:
    """A body in which the request's key, should it be repeated there, is `[key]`."""
    for secret in _secrets(request):
        body = body.replace(secret.encode(), b"[key]")
    return body


def _secrets(request: Request) -> Iterator[str]:
    for name, value in request.headers:
        secret = value.removeprefix("Bearer ")
        if name.lower() in SECRET and len(secret) >= SHORTEST:
            yield secret


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
