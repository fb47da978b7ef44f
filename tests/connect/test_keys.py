"""Whose key goes where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import assay
from assay.adapters import instructor
from assay.cli import main
from servers import Server, answer, completion, error

KEYS = {"GROQ_API_KEY": "gsk-of-groq-alone", "OPENAI_API_KEY": "sk-of-openai-alone", "XAI_API_KEY": "xai-of-xai-alone"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for name in ("ASSAY_API_KEY", "ASSAY_MODEL", "GROQ_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with Server([completion('{"value": "x"}')]) as running:
        yield running


def key_sent(server: Server) -> str | None:
    return server.received[-1].headers.get("authorization")


@pytest.mark.parametrize("model", ["groq/x", "groq/openai/gpt-oss-20b", "openai/gpt-5", "xai/grok", "my-model"])
def test_a_providers_key_does_not_go_to_another_host(model: str, server: Server) -> None:
    assay.extract(str, "x", model=model, base_url=server.base_url)
    assert key_sent(server) is None


def test_nor_when_the_model_comes_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_MODEL", "groq/x")
    assay.extract(str, "x", base_url=server.base_url)
    assert key_sent(server) is None


def test_nor_through_instructors_door(server: Server) -> None:
    client = instructor.from_provider("groq/x", base_url=server.base_url)
    client.create(response_model=str, messages=[{"role": "user", "content": "x"}])
    assert key_sent(server) is None


def test_the_key_for_any_server_and_a_given_one_do(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_API_KEY", "key-of-my-own-server")
    for model in ("groq/x", "vllm/x", "m"):
        assay.extract(str, "x", model=model, base_url=server.base_url)
        assert key_sent(server) == "Bearer key-of-my-own-server"
    assay.extract(str, "x", model="groq/x", base_url=server.base_url, api_key="given-key")
    assert key_sent(server) == "Bearer given-key"


def test_a_base_url_variable_names_a_place_of_the_providers(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_BASE_URL", server.base_url)
    for options in (
        {"model": "groq/x"},
        {"model": "groq/x", "base_url": server.base_url},
        {"model": "x", "base_url": server.url},
    ):
        assay.extract(str, "x", **options)
        assert key_sent(server) == f"Bearer {KEYS['GROQ_API_KEY']}"
    monkeypatch.setenv("ASSAY_API_KEY", "key-of-another-server")
    assay.extract(str, "x", model="openai/x", base_url=server.base_url)
    assert key_sent(server) == f"Bearer {KEYS['GROQ_API_KEY']}"  # the place is Groq's


@pytest.mark.parametrize(
    ("base_url", "key"),
    [
        ("https://api.groq.com", "GROQ_API_KEY"),
        ("https://api.groq.com/openai/v1/", "GROQ_API_KEY"),
        ("https://API.groq.com:443/x", "GROQ_API_KEY"),
        ("https://api.openai.com/v1", "OPENAI_API_KEY"),
        ("http://api.groq.com/openai/v1", None),
        ("https://api.groq.com:8443/openai/v1", None),
        ("https://api.groq.com.evil.example/openai/v1", None),
        ("https://evil.example/api.groq.com", None),
    ],
)
def test_a_provider_is_known_by_its_origin(base_url: str, key: str | None, server: Server) -> None:
    extractor = assay.Extractor(str, model="x", base_url=base_url)
    sent = dict(extractor.connection.endpoint.request("/x", b"").headers).get("authorization")
    assert sent == (key and f"Bearer {KEYS[key]}")


def test_a_refusal_says_which_key_was_sent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server([answer(401, error("who are you?"))]) as strict:
        with pytest.raises(
            assay.AuthenticationError, match=r"no key was sent; GROQ_API_KEY goes only to groq: set ASSAY_API_KEY"
        ):
            assay.extract(str, "x", model="groq/x", base_url=strict.base_url)
        monkeypatch.setenv("ASSAY_API_KEY", "key-of-my-own-server")
        with pytest.raises(assay.AuthenticationError, match=r"the key in ASSAY_API_KEY was sent"):
            assay.extract(str, "x", model="m", base_url=strict.base_url)


def test_headers_for_a_gateway_are_sent_and_shown_nowhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    secret = "token-of-the-gateway"
    monkeypatch.setenv("GATEWAY_TOKEN", secret)
    (tmp_path / "letter.txt").write_text("x")
    (tmp_path / "pet.json").write_text('{"type": "object", "properties": {"value": {"type": "string"}}}')
    with Server([answer(403, error(f"who is {secret}?"))]) as server:
        extractor = assay.Extractor(str, model="m", base_url=server.base_url, headers={"X-Gateway": secret}, max_retries=0)
        refused = extractor.run("x").error
        flags = [
            "--header",
            "X-Gateway=GATEWAY_TOKEN",
            "--header",
            "X-Team=GATEWAY_TOKEN",
            "--base-url",
            server.base_url,
            "-m",
            "m",
        ]
        files = ["extract", str(tmp_path / "letter.txt"), "--schema", str(tmp_path / "pet.json")]
        monkeypatch.setattr("sys.argv", ["assay", *files, *flags])
        with pytest.raises(SystemExit):
            main()
        for flag in ("X-Gateway", "X-Gateway=", "X Gateway=GATEWAY_TOKEN", "X-Gateway=NOT_SET_AT_ALL"):
            monkeypatch.setattr("sys.argv", ["assay", *files, "--header", flag])
            with pytest.raises(SystemExit) as ended:
                main()
            assert ended.value.code == 2
    said = capsys.readouterr()
    assert [one.headers["x-gateway"] for one in server.received] == [secret, secret]
    assert server.received[1].headers["x-team"] == secret
    assert secret not in str(refused) + repr(vars(refused)) + repr(extractor.options) + said.out + said.err
