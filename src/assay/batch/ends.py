"""The two ends of a run: making journal and output agree before it, and leaving a complete output after it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json

from assay.batch import rows
from assay.batch.formats import Sink
from assay.batch.journal import Journal
from assay.batch.layout import Layout
from assay.batch.place import let_go
from assay.batch.progress import Reporter, Summary, Tally
from assay.batch.provider.parcels import Parcels
from assay.batch.runner import Runner
from assay.batch.second import Second
from assay.batch.stops import Stop
from assay.extractor import Extractor

# -- before ------------------------------------------------------------------------------------------------------------


def prepare(
    journal: Journal,
    sinks: Sequence[Sink],
    extractor: Extractor[Any],
    reporter: Reporter,
    *,
    retry_failed: bool,
    second: Second | None,
) -> int:
    """Make journal and output agree, and say what is known. Returns the position of the last finished row, -1 for none."""
    parts = _parts(extractor)
    before = from_json(journal.fact("parts", "{}"))
    had = sum(journal.count().values())
    if journal.fact("fingerprint", extractor.fingerprint) != extractor.fingerprint:
        changed = [name for name, value in parts.items() if before.get(name) != value] or ["server's capabilities"]
        journal.forget_rows()
        reporter.say(
            f"changed since the last run: {', '.join(changed)}. Every row is asked again; "
            f"the {journal.stored():,} answers so far stay in {journal.path.name} for when it is changed back"
        )
        had = 0
    journal.remember(fingerprint=extractor.fingerprint, parts=rows.text(parts))
    again = journal.ask_failed_again(None if retry_failed else rows.NOT_THERE)
    offered = journal.offer_second(second.fingerprint if second is not None else None)
    if offered:
        reporter.say(f"{offered:,} failed rows go to the second model")
    counts = journal.count()
    done, failed = counts.get("done", 0), sum(counts.values()) - counts.get("done", 0)
    if had:
        met = "failed ones" if retry_failed else "that met no server"
        hint = f", {again:,} {met} are asked again" if again else ""
        hint += f", {failed:,} failed (--retry-failed asks them again)" if failed else ""
        reporter.say(f"resuming: {done:,} rows are done{hint}")
    return _assemble(journal, sinks)


def _assemble(journal: Journal, sinks: Sequence[Sink]) -> int:
    """Write the output again from the journal, whatever a kill left there."""
    last = journal.last()
    for target in sinks:
        if last >= 0 or target.owned.path.exists():
            target.assemble(journal.finished())
    return last


def _parts(extractor: Extractor[Any]) -> dict[str, str]:
    """What goes into the fingerprint, by name, to say which of it changed."""
    options = extractor.options
    named = {
        "schema": extractor.target.json_schema,
        "model": extractor.model,
        "server": options.base_url,
        "instructions": options.instructions,
        "examples": options.examples,
        "mode": options.mode,
        "prompt style": options.prompt_style,
        "strictness": options.strict,
        "temperature": options.temperature,
        "max_tokens": options.max_tokens,
    }
    return {name: hashlib.sha256(rows.text(value).encode()).hexdigest()[:16] for name, value in named.items()}


# -- after -------------------------------------------------------------------------------------------------------------


def finish(journal: Journal, sinks: Sequence[Sink], layout: Layout, runner: Runner, *, in_order: bool, whole: bool) -> None:
    """Leave the output complete, and in its order. After a failing disk nothing is touched: the next run puts it right.

    `whole`: the input was read to its end, so that rows beyond it are no longer its rows.
    """
    if runner.stopped is None or runner.stopped.reason != "storage":
        gone = journal.forget_rows(runner.count) if whole and runner.count is not None else 0
        facts = {"columns": layout.dump()}
        if whole and runner.count is not None:
            facts["rows"] = str(runner.count)
        if runner.tally.asked:
            facts["rows_per_second"] = f"{runner.tally.asked / runner.tally.seconds:.3f}"
        journal.remember(**facts)
        anew = gone or runner.replaced or (in_order and not runner.ordered)
        for target in sinks:
            if anew or target.stale or not target.owned.path.exists():
                target.assemble(journal.finished())
    for target in sinks:
        target.close()
    let_go(journal, sinks[-1].owned.path)


def summary(
    journal: Journal, tally: Tally, stop: Stop | None = None, count: int | None = None, second: Second | None = None
) -> Summary:
    """How a run went; `count` is that of the input's rows, when it was read to its end."""
    counts = dict(journal.count())
    done, finished = counts.pop("done", 0), sum(counts.values())
    return Summary(
        stop=stop,
        asked=tally.asked,
        kept=tally.kept,
        reused=tally.reused,
        requests=tally.requests,
        reasks=tally.reasks,
        repeats=tally.repeats,
        usage=tally.usage,
        seconds=tally.seconds,
        rows=done + finished,
        done=done,
        failed=finished,
        failures=counts,
        repairs=journal.repairs(),
        spent=journal.spent()[1],
        pending=None if count is None else count - done - finished,
        second=None if second is None else second.usage,
        second_rows=0 if second is None else second.rows,
        waiting=Parcels(journal).rows_under_way(),
    )
