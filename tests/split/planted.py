"""Documents with planted facts, and a model that knows nothing but the prompt it gets: it reads facts off the document's lines."""

from __future__ import annotations

import json
import random
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from servers import Received, Steps, answer, completion, error

FILLER = (
    "The parties met again and spoke about the weather, the roads and the price of wool.",
    "Nothing in this paragraph is of any use to whoever has to fill in a form.",
    "It was agreed that the minutes be kept in a dry place, away from the window.",
    "Several letters were read aloud, and none of them was answered.",
)
WORDS = [
    "anvil",
    "barrel",
    "candle",
    "drum",
    "easel",
    "flask",
    "gauge",
    "hinge",
    "inkwell",
    "jar",
    "kettle",
    "ladder",
    "mallet",
    "nail",
    "oar",
    "pulley",
    "quill",
    "rake",
    "saw",
    "tongs",
]


class Line(BaseModel):
    goods: str
    quantity: int
    price: float


class Event(BaseModel):
    day: str
    what: str


class Contract(BaseModel):
    """A contract with its parties, dated events and line items."""

    buyer: str
    seller: str
    law: str | None = None
    lines: list[Line]
    events: list[Event]


@dataclass
class Planted:
    text: str
    gold: dict[str, Any] = field(default_factory=dict)


def contract(size: int, *, seed: int = 0, twins: int = 4, conflicts: bool = False) -> Planted:
    """A contract of about so many characters. A twin is a line that the contract has a second time, meant so."""
    chance = random.Random(seed)
    gold: dict[str, Any] = {
        "buyer": "Bergman Ltd",
        "seller": "Ostrow & Sons",
        "law": "the law of Norway",
        "lines": [],
        "events": [],
    }
    parts = ["# Contract", "Buyer: Bergman Ltd.", "Seller: Ostrow & Sons."]
    length, number, law_at = 0, 0, size // 2
    doubled = set(chance.sample(range(3, max(4 + twins, size // 500)), twins))
    while length < size:
        part = " ".join(chance.choice(FILLER) for _ in range(chance.randint(1, 4)))
        if chance.random() < 0.5:
            number += 1
            line = {
                "goods": f"{chance.choice(WORDS)} {number}",
                "quantity": chance.randint(1, 90),
                "price": chance.randint(100, 99999) / 100,
            }
            said = f"Item: {line['quantity']} pieces of {line['goods']} at EUR {line['price']:.2f} each."
            for _ in range(1 + (number in doubled)):
                gold["lines"].append(line)
                part += f"\n{said}"
        elif chance.random() < 0.4:
            number += 1
            event = {
                "day": f"{chance.randint(2001, 2025)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
                "what": f"meeting {number}",
            }
            gold["events"].append(event)
            part += f"\nOn {event['day']} there was {event['what']}."
        if law_at and length > law_at:
            law_at = 0
            part += "\nGoverned by the law of Norway."
        parts.append(part)
        length += len(part) + 2
    if conflicts:
        parts.append("Seller: Vasa AB.")
    return Planted("\n\n".join(parts), gold)


_LINE = re.compile(r"Item: (\d+) pieces of ([a-z]+ \d+) at EUR (\d+\.\d\d) each\.")
_EVENT = re.compile(r"On (\d{4}-\d\d-\d\d) there was (meeting \d+)\.")


def read(document: str) -> dict[str, Any]:
    """What stands in a text, all of it and nothing else."""

    def said(pattern: str) -> str | None:
        found = re.search(pattern, document)
        return found[1] if found else None

    return {
        "buyer": said(r"Buyer: ([^\n]+)\."),
        "seller": said(r"Seller: ([^\n]+)\."),
        "law": said(r"Governed by (the law of \w+)\."),
        "lines": [{"goods": m[2], "quantity": int(m[1]), "price": float(m[3])} for m in _LINE.finditer(document)],
        "events": [{"day": m[1], "what": m[2]} for m in _EVENT.finditer(document)],
    }


class Reader:
    """A model that reads only its prompt, has a context of so many tokens, and takes its time."""

    def __init__(self, *, context: int | None = None, latency: float = 0.0, fail: str | None = None) -> None:
        self.context, self.latency, self.fail = context, latency, fail
        self.documents: list[str] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def __call__(self, request: Received) -> Steps:
        body = json.dumps(request.json["messages"])
        if self.context is not None and len(body) // 4 > self.context:
            said = f"This model's maximum context length is {self.context} tokens. However, your messages resulted in {len(body) // 4} tokens."
            return [answer(400, error(said, code="context_length_exceeded"))]
        document = request.json["messages"][-1]["content"]
        document = document[document.index("<document>") + 10 : document.rindex("</document>")]
        with self._lock:
            self.documents.append(document)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.latency)
        with self._lock:
            self.at_once -= 1
        if self.fail is not None and self.fail in document:
            return [answer(400, error("the content was refused", code="content_filter"))]
        return [completion(json.dumps(read(document)))]
