"""Cassettes: answers of a real server, recorded once and played from then on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from assay.data.paths import MISSING, get
from assay.errors import AssayError, ConfigurationError
from assay.flow import stage
from assay.flow.effects import Request, Response
from assay.testing import tape
from assay.testing.acts import Acting
from assay.testing.tape import Asked, Interaction

Record: TypeAlias = Literal["none", "once", "new", "all"]
"""`none`: only play; `once`: record when there is no cassette yet; `new`: record what is missing; `all`: record everything again."""

SHOWN = 3
"""Differences that a miss names."""


class CassetteMissError(AssayError):
    """A request that no recorded one equals, with the nearest one and where it differs. It was not sent."""


class Cassette:
    """The recorded interactions of one file. Each is played once, in the order in which equal requests were recorded."""

    def __init__(self, path: str | Path, record: Record = "none") -> None:
        if record not in get_args(Record):
            raise ConfigurationError(f"record must be one of {', '.join(get_args(Record))}; got {record!r}")
        self.path = Path(path)
        exists = self.path.exists()
        self.interactions: list[Interaction] = tape.read(self.path) if exists and record != "all" else []
        self._left = list(self.interactions)
        self._records = record in ("new", "all") or (record == "once" and not exists)
        self._recorded = False
        self._missed: str | None = None
        self._lock = threading.Lock()

    @property
    def unplayed(self) -> int:
        """Recorded interactions that nothing asked for."""
        return len(self._left)

    # -- the act ---------------------------------------------------------------------------------------------------------

    def pause(self, request: Request) -> float:
        return 0.0

    def before(self, request: Request, way: str) -> Response | None:
        asked = Asked.of(request)
        with self._lock:
            for at, interaction in enumerate(self._left):
                if interaction.asked == asked:
                    return self._left.pop(at).response
        if self._records:
            return None
        raise CassetteMissError(self._miss(asked))

    def after(self, request: Request, response: Response) -> Response:
        if self._records and not any(response is known.response for known in self.interactions):
            with self._lock:
                self.interactions.append(Interaction.of(request, response))
                self._recorded = True
        return response

    def save(self) -> None:
        """Writes what was recorded; a cassette that was only played is left as it is."""
        if self._recorded:
            tape.write(self.path, self.interactions)

    def _miss(self, asked: Asked) -> str:
        how = "record it with --assay-record=new (or cassette(..., record='new'))"
        if not self.interactions:
            return f"{self.path} has no recorded answer, and nothing is recorded: {how}"
        known = [interaction.asked for interaction in self.interactions]
        if (times := known.count(asked)) > 0:
            return f"{self.path}: all {times} recorded answers to {asked.method} {asked.path} have already been played: {how}"
        nearest = min(known, key=lambda other: len(asked.differs(other)))
        places = asked.differs(nearest)
        more = f"\n  and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
        differs = "".join(f"\n  {place}: {_both(place, nearest, asked)}" for place in places[:SHOWN])
        number = known.index(nearest) + 1
        return f"{self.path} has no such {asked.method} {asked.path}; nearest is number {number}, which differs in{differs}{more}\n{how}"


def _both(place: str, recorded: Asked, asked: Asked) -> str:
    was, now = (_at(place, each) for each in (recorded, asked))
    start = next((n for n, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
    return f"recorded {_near(was, start)}, asked {_near(now, start)}"


def _at(place: str, asked: Asked) -> str:
    if place in ("method", "path"):
        return str(getattr(asked, place))
    found = get(asked.body, "" if place == "the body" else place)
    return "(nothing)" if found is MISSING else str(found)


def _near(text: str, at: int) -> str:
    """The text around the place where two begin to differ."""
    start, end = max(0, at - 20), at + 40
    return repr(f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}")


@contextmanager
def cassette(path: str | Path, record: Record = "none") -> Iterator[Cassette]:
    """Plays the answers recorded in a file, or records them, as long as the block lasts; see `Record`.

    What is recorded is written when the block is left, also by an error. No key is in it: of a request its method, path and
    body are kept, of an answer the headers on a short list. A request that is not recorded is a `CassetteMissError`.
    """
    played = Cassette(path, record)
    try:
        with stage.put(Acting(played)):
            yield played
    finally:
        played.save()
