"""What the calls of audio and embeddings are: functions from their parameters to an `Action`, as in `operations`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Unpack

from assay.groq.action import Action
from assay.groq.answer import read
from assay.groq.operations import read_bytes
from assay.groq.params import OPTIONS, CallOptions, NotGiven, check
from assay.groq.store_types import EmbeddingList, Transcription
from assay.groq.upload import FileTypes, Upload


class SpeechParams(CallOptions, total=False):
    input: str
    model: str
    voice: str
    response_format: str
    """`wav` (the server's default), `flac`, `mp3`, `mulaw`, `ogg`."""
    sample_rate: int
    speed: float


class SoundParams(CallOptions, total=False):
    """Audio is a `file` or at a `url`."""

    model: str
    file: FileTypes | NotGiven
    url: str | NotGiven
    language: str | NotGiven
    prompt: str | NotGiven
    response_format: str | NotGiven
    """`json` (the server's default), `text`, `verbose_json`."""
    temperature: float | NotGiven
    timestamp_granularities: Iterable[str] | NotGiven


class EmbeddingParams(CallOptions, total=False):
    input: str | Iterable[str]
    model: str
    dimensions: int | NotGiven | None
    encoding_format: str | NotGiven
    user: str | NotGiven | None


def create_transcription(**params: Unpack[SoundParams]) -> Action[Transcription]:
    """The speech in an audio file, in its own language."""
    return _of_sound("/audio/transcriptions", params, "audio.transcriptions.create")


def create_translation(**params: Unpack[SoundParams]) -> Action[Transcription]:
    """The speech in an audio file, translated into English."""
    return _of_sound("/audio/translations", params, "audio.translations.create")


def create_speech(**params: Unpack[SpeechParams]) -> Action[bytes]:
    """Speech from a text."""
    body, options = _split(params, SpeechParams, ("input", "model", "voice"), "audio.speech.create")
    return Action("POST", "/audio/speech", read_bytes, body, options, accept="application/octet-stream")


def create_embedding(**params: Unpack[EmbeddingParams]) -> Action[EmbeddingList]:
    body, options = _split(params, EmbeddingParams, ("input", "model"), "embeddings.create")
    return Action("POST", "/embeddings", partial(read, EmbeddingList), body, options)


def _of_sound(path: str, params: Any, call: str) -> Action[Transcription]:
    fields, options = _split(params, SoundParams, ("model",), call)
    file = fields.pop("file", None)
    if (file is None) == (fields.get("url") is None):
        raise TypeError(f"{call} needs a file or a url, and not both")
    return Action("POST", path, _read_text, Upload.of(file, {name: _field(value) for name, value in fields.items()}), options)


def _field(value: Any) -> str | list[str]:
    return str(value) if isinstance(value, str | int | float) else [str(each) for each in value]


def _split(params: Any, kind: Any, required: tuple[str, ...], call: str) -> tuple[dict[str, Any], CallOptions]:
    check(params, frozenset(kind.__annotations__) | OPTIONS, required, call)
    options = CallOptions(**{name: params[name] for name in OPTIONS & params.keys()})  # type: ignore[typeddict-item]  # its own keys
    return {name: value for name, value in params.items() if name not in OPTIONS and not isinstance(value, NotGiven)}, options


def _read_text(body: bytes, headers: Mapping[str, str]) -> Transcription:
    if headers.get("content-type", "").startswith("text/"):  # with response_format="text"
        return Transcription(text=body.decode(errors="replace"))
    return read(Transcription, body, headers)
