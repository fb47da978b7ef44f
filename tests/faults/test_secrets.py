"""Servers that are after the key or the text: redirects that lead away, keys that are echoed, passwords in URLs."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import Any

import pytest

import assay
from assay.backends.chat import complete
from assay.errors import APIError
from faults.travel import CALL, KEY, Way, endpoint
from servers import FIN, Server, Steps, answer, completion, error, events

TEXT = '{"name": "Ada"}'
PASSWORD = "open-sesame-77"


def to(location: str, status: int = 307) -> bytes:
    return f"HTTP/1.1 {status} x\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n".encode()


AWAY = (
    "http://{evil}\\@{good}/v1",
    "http://{evil}\\.{good}/v1",
    "\\\\{evil}\\v1",
    "/\\{evil}/v1",
    "http:\\\\{evil}/v1",
    "http://{good}@{evil}/v1",
    "http://user:pw@{good}/v1",
    "//{evil}/v1",
    "http://{evil}\t@{good}/v1",
    "http://{evil}#@{good}/v1",
    "http://{evil}?@{good}/v1",
    "https://{good}/v1",
    "http://{good}:99999/v1",
    "http://{good}.evil/v1",
    "http://[{good}/v1",
    "http://{evil}%2f@{good}/v1",
    "javascript:alert(1)",
    "file:///etc/passwd",
)


@pytest.mark.parametrize("location", AWAY)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_redirect_that_leads_away_or_may_be_read_in_two_ways_is_not_followed(location: str, streamed: bool, way: Way) -> None:
    with Server([completion(TEXT)]) as evil, Server(lambda _: [to(aim)]) as server:
        aim = location.format(evil=f"127.0.0.1:{evil.port}", good=f"127.0.0.1:{server.port}")
        with pytest.raises(APIError) as caught:
            (way.stream if streamed else way.complete)(endpoint(server.base_url))
        assert evil.received == []
        assert caught.value.code in {"redirect", "connection"}  # a transport may refuse such a header itself


@pytest.mark.parametrize("client", ["sync", "async"])
def test_the_groq_client_does_not_follow_them_either(client: str) -> None:
    with Server([completion(TEXT)]) as evil, Server(lambda _: [to(aim)]) as server:
        aim = f"http://127.0.0.1:{evil.port}\\@127.0.0.1:{server.port}/v1"
        with assay.Groq(api_key=KEY, base_url=server.url, max_retries=0) as groq, pytest.raises(assay.APIResponseError):
            groq.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=client == "async")
        assert evil.received == []


def test_a_redirect_that_spells_its_own_origin_differently_is_followed(way: Way) -> None:
    with Server(
        lambda request: [completion(TEXT)] if request.path == "/v2" else [to(f"HTTP://127.0.0.1:{server.port}/v2")]
    ) as server:
        assert way.complete(endpoint(server.base_url)).text == TEXT


# -- keys that are echoed ----------------------------------------------------------------------------------------------


ECHOES: dict[str, Steps] = {
    "message": [answer(401, error(f"no such key: {KEY}"))],
    "request id": [answer(401, error("no"), {"x-request-id": f"req-{KEY}"})],
    "ray": [answer(403, error("no"), {"cf-ray": KEY})],
    "header": [answer(401, error("no"), {"www-authenticate": f"Bearer {KEY}"})],
    "code and param": [answer(400, error("no", code=KEY, param=f"a {KEY}"))],
    "page": [answer(502, f"<html>{KEY}</html>".encode(), {"content-type": "text/html"})],
    "failed generation": [answer(400, error("no", code="json_validate_failed", failed_generation=f'"{KEY}'))],
    "200 with an error": [answer(200, error(f"key {KEY}"))],
    "200 without choices": [answer(200, {"object": KEY})],
    "200 that is a page": [answer(200, f"<html>{KEY}</html>".encode(), {"content-type": "text/html"})],
    "200 that is cut": [answer(200, b'{"id": "' + KEY.encode())],
    "redirect": [to(f"http://elsewhere.invalid/?key={KEY}")],
}
IN_STREAM: dict[str, Steps] = {
    "event": [answer(200, b"event: error\n" + events(error(f"key {KEY}")), {"content-type": "text/event-stream"}), FIN],
    "bare event": [answer(200, f"event: error\ndata: {KEY}\n\n".encode(), {"content-type": "text/event-stream"}), FIN],
    "data": [answer(200, events(error(f"key {KEY}")), {"content-type": "text/event-stream"}), FIN],
    "no JSON": [answer(200, events(f"{{{KEY}"), {"content-type": "text/event-stream"}), FIN],
    "x_groq": [answer(200, events({"x_groq": {"error": KEY}, "choices": []}), {"content-type": "text/event-stream"}), FIN],
    "request id": [answer(200, events("{"), {"content-type": "text/event-stream", "x-request-id": KEY}), FIN],
    "no stream": [answer(200, f"<p>{KEY}</p>".encode(), {"content-type": "text/html"}), FIN],
}


def shows_nothing(error: BaseException) -> None:
    texts = [str(error), repr(error), repr(vars(error)), repr(pickle.loads(pickle.dumps(error)).__dict__)]
    texts.append("".join(traceback.format_exception(error)))
    response = getattr(error, "response", None)
    if response is not None:
        texts += [response.text, repr(dict(response.headers)), repr(response)]
    assert not [text for text in texts if KEY in text]


@pytest.mark.parametrize("steps", ECHOES.values(), ids=ECHOES)
def test_an_error_does_not_show_the_key_that_its_server_repeats(steps: Steps, default_way: Way) -> None:
    with Server(steps) as server:
        to = endpoint(server.base_url)
        try:
            reply = default_way.complete(to)
        except APIError as error:
            shows_nothing(error)
        else:
            assert KEY not in repr(reply)


@pytest.mark.parametrize("steps", IN_STREAM.values(), ids=IN_STREAM)
def test_an_error_in_a_stream_does_not_show_the_key(steps: Steps, default_way: Way) -> None:
    with Server(steps) as server, pytest.raises(APIError) as caught:
        default_way.stream(endpoint(server.base_url))
    shows_nothing(caught.value)


# -- passwords in URLs -------------------------------------------------------------------------------------------------


WITH_PASSWORD = (f"http://ada:{PASSWORD}@", f"http://ada:{PASSWORD}%2F/x@", f"http://{PASSWORD}@")


@pytest.mark.parametrize("start", WITH_PASSWORD)
def test_a_password_in_a_url_is_shown_nowhere(start: str, way: Way, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Server([answer(401, error(f"{PASSWORD}?"))]) as server:
        url = server.base_url.replace("http://", start)
        extractor = None
        with pytest.raises(assay.AssayError) as caught:  # a port that is none is refused at once
            extractor = assay.Extractor(str, model="m", base_url=url, api_key="x")
            way.run(complete(endpoint(url), CALL))
    shown = [str(caught.value), repr(caught.value.__dict__), repr(extractor), *_logged(caplog)]
    if extractor is not None:
        shown += [repr(extractor.options), repr(extractor.connection.endpoint), str(extractor.run("x").error)]
    assert not [text for text in shown if PASSWORD in text]


def _logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """By us: what httpx logs of a client of the user's own is httpx's."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("assay")]


def test_nor_in_the_groq_clients_messages_and_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_LOG", "debug")
    with Server([answer(500, error("no"))]) as server:
        url = server.base_url.replace("http://", WITH_PASSWORD[0])
        with assay.Groq(api_key=KEY, base_url=url, max_retries=0) as groq:
            caplog.set_level(logging.DEBUG, logger="assay")
            with pytest.raises(APIError) as caught:
                groq.models.list()
            with pytest.raises(APIError) as refused:
                groq.with_options(base_url=f"http://ada:{PASSWORD}@127.0.0.1:1").models.list(extra_query={"key": PASSWORD})
    texts: list[Any] = [caplog.text, caught.value, refused.value, repr(groq.settings)]
    assert caplog.text
    assert not [text for text in texts if PASSWORD in str(text)]


def test_a_base_url_that_is_none_is_refused_without_its_password() -> None:
    for url in (
        f"ada:{PASSWORD}@host",
        f"ftp://ada:{PASSWORD}@host",
        f"http://ada:{PASSWORD}@",
        f"http://a:{PASSWORD}@h:99999",
    ):
        for make in (lambda: assay.Extractor(str, model="m", base_url=url), lambda: assay.Groq(api_key="x", base_url=url)):  # noqa: B023
            with pytest.raises(assay.ConfigurationError) as caught:
                make()
            assert PASSWORD not in str(caught.value)
