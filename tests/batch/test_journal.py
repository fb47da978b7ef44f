"""The journal against a model of it: whatever is done in whatever order, and wherever the process dies."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from assay.batch import OutputBusy, StorageError
from assay.batch.files import Owned
from assay.batch.formats.jsonl import JSONLSink
from assay.batch.journal import Answer, Entry, Journal, Row, key_of, lines
from assay.errors import ConfigurationError
from assay.types import Usage

KEYS = [key_of("f", str(number)) for number in range(6)]
keys = st.sampled_from(KEYS)
positions = st.integers(0, 12)


def answer_of(ok: bool, number: int) -> Answer:
    body = f'"value":{number if ok else "null"},"error":null,"repairs":[]'
    return Answer("done" if ok else "failed", "done" if ok else "timeout", body, None, 1, Usage(10, 5, total_tokens=15))


class JournalMachine(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.root = self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "journal"
        self.journal = Journal(self.path)
        self.output = JSONLSink(Owned(self.folder / "out.jsonl"))
        self.rows: dict[int, bytes] = {}
        self.columns: dict[int, str] = {}
        self.answers: dict[bytes, Answer] = {}
        self.asks = 0

    def answered(self, key: bytes) -> bool:
        return key in self.answers and self.answers[key].state != "again"

    @rule(rows=st.lists(st.tuples(positions, keys), min_size=1, max_size=5, unique_by=lambda row: row[0]), ok=st.booleans())
    def finish_rows(self, rows: list[tuple[int, bytes]], ok: bool) -> None:
        entries, new = [], set()
        for position, key in sorted(rows):
            if position in self.rows:
                continue
            answer = None
            if not self.answered(key) and key not in new:
                answer = answer_of(ok, self.asks)
                self.asks += 1
                new.add(key)
                self.answers[key] = answer
            self.rows[position] = key
            entries.append(Entry(key, Row(position, position + 1, str(position), "{}"), answer))
        if entries:
            self.output.append(self.journal.commit(entries))

    @rule(count=st.integers(1, 4), start=positions, key=keys, columns=st.sampled_from(["{}", '{"page":1}']))
    def look_up(self, count: int, start: int, key: bytes, columns: str) -> None:
        rows = [(Row(position, position + 1, str(position), columns), key) for position in range(start, start + count)]
        known = self.journal.look_up(rows)
        for (row, _), what in zip(rows, known, strict=True):
            position = row.position
            there = self.rows.get(position)
            assert what.answered == self.answered(key)
            assert what.finished == (there == key and self.answered(key))
            assert what.replaced == (there is not None and there != key)
            assert what.refreshed == (what.finished and self.columns.get(position, "{}") != columns)
            if what.refreshed:
                self.columns[position] = columns
            if what.replaced:
                del self.rows[position]
                self.columns.pop(position, None)

    @rule()
    def ask_failed_again(self) -> None:
        again = {key for key in self.rows.values() if self.answers[key].state == "failed"}
        gone = [position for position, key in self.rows.items() if key in again]
        assert self.journal.ask_failed_again() == len(gone)
        for key in again:
            self.answers[key] = Answer("again", "timeout", self.answers[key].body)
        for position in gone:
            del self.rows[position]
            self.columns.pop(position, None)

    @rule(since=positions)
    def forget(self, since: int) -> None:
        self.journal.forget_rows(since)
        self.rows = {position: key for position, key in self.rows.items() if position < since}
        self.columns = {position: columns for position, columns in self.columns.items() if position < since}

    @rule()
    def close_and_open(self) -> None:
        self.journal.close()
        self.journal = Journal(self.path)

    @rule()
    def die(self) -> None:
        """What is on the disk now is all that the next process has."""
        copy = Path(tempfile.mkdtemp(dir=self.folder))
        for name in ("journal", "journal-wal"):
            if (self.folder / name).exists():
                shutil.copy(self.folder / name, copy / name)
        self.journal.close()
        self.path = copy / "journal"
        self.folder = copy
        self.journal = Journal(self.path)
        self.output = JSONLSink(Owned(copy / "out.jsonl"))

    @rule()
    def assemble(self) -> None:
        self.output.assemble(self.journal.finished())
        found = [json.loads(line)["id"] for line in self.output.owned.path.read_text().splitlines()]
        assert found == sorted(self.rows)

    @invariant()
    def the_finished_rows_are_those_of_the_model(self) -> None:
        if not hasattr(self, "journal"):
            return
        found = list(self.journal.finished())
        assert [row.row.position for row in found] == sorted(self.rows)
        assert [row.row.carried for row in found] == [self.columns.get(position, "{}") for position in sorted(self.rows)]
        assert [row.body for row in found] == [self.answers[self.rows[position]].body for position in sorted(self.rows)]
        assert sum(self.journal.count().values()) == len(self.rows)
        assert self.journal.spent()[1].total_tokens == 15 * self.asks

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
            self.output.close()
            shutil.rmtree(self.root)


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_a_key_changes_with_the_source_and_with_all_else_that_changes_the_answer():
    assert len({key_of("a", "b"), key_of("a", "c"), key_of("ab", "b"), key_of("a", "b\0")}) == 4


def test_a_second_opener_is_told_that_it_is_in_use(tmp_path):
    journal = Journal(tmp_path / "journal")
    with pytest.raises(OutputBusy, match="in use by another run"):
        Journal(tmp_path / "journal")
    journal.close()
    Journal(tmp_path / "journal").close()


def test_a_file_that_is_no_journal_is_refused_and_not_touched(tmp_path):
    path = tmp_path / "journal"
    path.write_text("my notes, not a database at all" * 100)
    with pytest.raises(ConfigurationError, match="not a journal"):
        Journal(path)
    assert path.read_text().startswith("my notes")


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(StorageError, match="cannot be opened"):
        Journal(tmp_path / "nowhere" / "journal")


def test_a_journal_of_another_version_is_refused(tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.remember(format="99")
    journal.close()
    with pytest.raises(ConfigurationError, match="another version"):
        Journal(tmp_path / "journal")


def test_a_commit_that_fails_leaves_nothing_of_it(tmp_path):
    journal = Journal(tmp_path / "journal")
    good = Entry(KEYS[0], Row(0, 1, "0", "{}"), answer_of(True, 1))
    bad = Entry(KEYS[1], Row(1, 2, None, "{}"), answer_of(True, 2))  # type: ignore[arg-type]  # what the table refuses
    with pytest.raises(StorageError):
        journal.commit([good, bad])
    assert list(journal.finished()) == []
    assert len(journal.commit([good])) == 1
    journal.close()


def test_lines_are_json_with_the_row_s_own_columns_around_the_answer():
    entry = Entry(KEYS[0], Row(0, 1, '"a"', '{"page":3}'), answer_of(True, 7))
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal")
        (line,) = lines(journal.commit([entry]))
        journal.close()
    assert json.loads(line) == {"id": "a", "value": 7, "error": None, "repairs": [], "page": 3}
