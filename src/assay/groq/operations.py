"""What each call of the API is: functions from its parameters to an `Action`. Pure, and written once for all doors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, TypeVar, Unpack
from urllib.parse import quote

from assay.errors import APIResponseError
from assay.groq.action import Action
from assay.groq.answer import Answer, read
from assay.groq.chat_types import ChatCompletion
from assay.groq.chunks import Chunks
from assay.groq.params import CHAT, OPTIONS, REQUIRED, SIGNATURE, CallOptions, check
from assay.groq.store_types import Batch, BatchList, Deleted, File, FileList, Model, ModelList
from assay.groq.upload import FileTypes, Upload
from assay.groq.usage import counted

A = TypeVar("A", bound=Answer)


def create_completion(**params: Any) -> Action[Any]:
    """A chat completion: parameters as in `ChatParams`, and `stream`."""
    check(params, CHAT, REQUIRED, "chat.completions.create")
    options = CallOptions(**{name: params.pop(name) for name in OPTIONS & params.keys()})  # type: ignore[typeddict-item]  # its own keys
    if isinstance(params["messages"], str):
        raise TypeError("messages must be a list of messages, not a str: [{'role': 'user', 'content': ...}]")
    if params.get("stream"):
        return Action("POST", "/chat/completions", read_completion, params, options, Chunks, "text/event-stream")
    return Action("POST", "/chat/completions", read_completion, params, options)


create_completion.__signature__ = SIGNATURE  # type: ignore[attr-defined]  # what inspect looks for


def read_completion(body: bytes, headers: Mapping[str, str]) -> ChatCompletion:
    completion = read(ChatCompletion, body, headers)
    if not getattr(completion, "choices", None):
        raise APIResponseError("the answer has no choices", code="no_choices", body=completion.to_dict())
    return counted(completion)


def list_models(**options: Unpack[CallOptions]) -> Action[ModelList]:
    """All models that the key may use."""
    return _get("/models", ModelList, options)


def retrieve_model(model: str, **options: Unpack[CallOptions]) -> Action[Model]:
    return _get(f"/models/{_segment('model', model)}", Model, options)


def delete_model(model: str, **options: Unpack[CallOptions]) -> Action[Deleted]:
    return _call("DELETE", f"/models/{_segment('model', model)}", Deleted, None, options)


def create_file(*, file: FileTypes, purpose: Literal["batch"], **options: Unpack[CallOptions]) -> Action[File]:
    """Upload a file; for `batch`, JSONL of at most 100 MB."""
    upload = Upload.of(file, {"purpose": purpose})
    return _call("POST", "/files", File, upload, options)


def list_files(**options: Unpack[CallOptions]) -> Action[FileList]:
    return _get("/files", FileList, options)


def retrieve_file(file_id: str, **options: Unpack[CallOptions]) -> Action[File]:
    """The metadata of a file."""
    return _get(f"/files/{_segment('file_id', file_id)}", File, options)


def delete_file(file_id: str, **options: Unpack[CallOptions]) -> Action[Deleted]:
    return _call("DELETE", f"/files/{_segment('file_id', file_id)}", Deleted, None, options)


def file_content(file_id: str, **options: Unpack[CallOptions]) -> Action[bytes]:
    check(options, OPTIONS, (), "files.content")
    path = f"/files/{_segment('file_id', file_id)}/content"
    return Action("GET", path, read_bytes, options=options, accept="application/octet-stream")


def read_bytes(body: bytes, _: Mapping[str, str]) -> bytes:
    return body


def create_batch(
    *,
    input_file_id: str,
    endpoint: Literal["/v1/chat/completions"],
    completion_window: str,
    metadata: Mapping[str, str] | None = None,
    **options: Unpack[CallOptions],
) -> Action[Batch]:
    """Start a batch over an uploaded file; `completion_window` is `24h` to `7d`."""
    body: dict[str, Any] = {"input_file_id": input_file_id, "endpoint": endpoint, "completion_window": completion_window}
    if metadata is not None:
        body["metadata"] = metadata
    return _call("POST", "/batches", Batch, body, options)


def retrieve_batch(batch_id: str, **options: Unpack[CallOptions]) -> Action[Batch]:
    return _get(f"/batches/{_segment('batch_id', batch_id)}", Batch, options)


def list_batches(**options: Unpack[CallOptions]) -> Action[BatchList]:
    return _get("/batches", BatchList, options)


def cancel_batch(batch_id: str, **options: Unpack[CallOptions]) -> Action[Batch]:
    return _call("POST", f"/batches/{_segment('batch_id', batch_id)}/cancel", Batch, None, options)


def _get(path: str, answer: type[A], options: CallOptions) -> Action[A]:
    return _call("GET", path, answer, None, options)


def _call(method: str, path: str, answer: type[A], body: Mapping[str, Any] | Upload | None, options: CallOptions) -> Action[A]:
    check(options, OPTIONS, (), "this call")
    parse: Callable[[bytes, Mapping[str, str]], A] = partial(read, answer)
    return Action(method, path, parse, body, options)


def _segment(name: str, value: str) -> str:
    if not value.strip("."):  # no value, or one that leads out of the path
        raise ValueError(f"{name} must be a non-empty str; got {value!r}")
    return quote(value, safe="")
