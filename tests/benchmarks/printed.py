"""Made-up invoices and notices in several languages and layouts, each with its gold: the same amounts and dates in many prints."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel


class Invoice(BaseModel):
    """An invoice."""

    number: str
    supplier: str
    issued: date
    due: date
    net: float
    total: float


class Notice(BaseModel):
    """A notice about an event, or a change."""

    organiser: str
    day: date
    fee: float
    places: int


@dataclass(frozen=True)
class Tongue:
    """How one language prints."""

    invoice: tuple[str, str, str, str, str]
    """Invoice number, date, payable until, net, total."""
    notice: str
    months: tuple[str, ...]
    long: str
    short: str
    thousands: str
    decimal: str
    money: str


_EN = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
_DE = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember")
_FR = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre")
_ES = (
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
)
_PL = (
    "stycznia",
    "lutego",
    "marca",
    "kwietnia",
    "maja",
    "czerwca",
    "lipca",
    "sierpnia",
    "września",
    "października",
    "listopada",
    "grudnia",
)

TONGUES = (
    Tongue(("Invoice no.", "Date", "Payable by", "Net", "Total due"),
           "{who} invites you on {day}. The fee is {fee}; there are {places} places.", _EN, "{name} {d}, {y}", "{m:02}/{d:02}/{y}", ",", ".", "${}"),
    Tongue(("Rechnung Nr.", "Datum", "Zahlbar bis", "Netto", "Gesamtbetrag"),
           "{who} lädt am {day} ein. Die Gebühr beträgt {fee}, es gibt {places} Plätze.", _DE, "{d}. {name} {y}", "{d:02}.{m:02}.{y}", ".", ",", "{} €"),
    Tongue(("Facture n°", "Date", "À régler avant le", "Total HT", "Total TTC"),
           "{who} vous invite le {day}. Le tarif est de {fee} ; il y a {places} places.", _FR, "{d} {name} {y}", "{d:02}/{m:02}/{y}", " ", ",", "{} €"),
    Tongue(("Factura n.º", "Fecha", "Vencimiento", "Base imponible", "Importe total"),
           "{who} le invita el {day}. La cuota es de {fee} y hay {places} plazas.", _ES, "{d} de {name} de {y}", "{d}/{m}/{y}", ".", ",", "{} EUR"),
    Tongue(("Faktura nr", "Data", "Termin płatności", "Netto", "Do zapłaty"),
           "{who} zaprasza dnia {day}. Opłata wynosi {fee}, miejsc jest {places}.", _PL, "{d} {name} {y}", "{d:02}.{m:02}.{y}", " ", ",", "{} zł"),
)  # fmt: skip
_NAMES = (
    "Bergman & Co",
    "Lindqvist GmbH",
    "Atelier Moreau",
    "Talleres Ibarra",
    "Nowak Tools",
    "Harbour Light Ltd",
    "Kestrel Works",
)


def invoices(count: int, seed: int = 1) -> Iterator[tuple[type[BaseModel], str, dict[str, Any]]]:
    """A type, a text and its gold."""
    rng = random.Random(seed)
    for at in range(count):
        tongue, layout = TONGUES[at % len(TONGUES)], _LAYOUTS[at // len(TONGUES) % len(_LAYOUTS)]
        issued = date(2025, 1, 1) + timedelta(rng.randrange(700))
        due = issued + timedelta(rng.choice((10, 14, 30)))
        net = rng.randrange(2_000, 2_500_000) / 100
        total = round(net * 1.2, 2)
        number, supplier = f"{issued.year}-{rng.randrange(100, 999)}", rng.choice(_NAMES)
        show = _day(tongue, words=at % 3 == 0)
        rows = list(
            zip(tongue.invoice, (number, show(issued), show(due), _money(tongue, net), _money(tongue, total)), strict=True)
        )
        gold = {
            "number": number,
            "supplier": supplier,
            "issued": issued.isoformat(),
            "due": due.isoformat(),
            "net": net,
            "total": total,
        }
        yield Invoice, layout(supplier, rows), gold


def notices(count: int, seed: int = 2) -> Iterator[tuple[type[BaseModel], str, dict[str, Any]]]:
    """A type, a text and its gold."""
    rng = random.Random(seed)
    for at in range(count):
        tongue = TONGUES[at % len(TONGUES)]
        day, fee, places = (
            date(2026, 1, 1) + timedelta(rng.randrange(360)),
            rng.randrange(500, 250_000) / 100,
            rng.randrange(8, 4000),
        )
        who = rng.choice(_NAMES)
        show = _day(tongue, words=at % 2 == 0)
        grouped = f"{places:,}".replace(",", tongue.thousands)
        text = tongue.notice.format(who=who, day=show(day), fee=_money(tongue, fee), places=grouped)
        yield Notice, text, {"organiser": who, "day": day.isoformat(), "fee": fee, "places": places}


def _money(tongue: Tongue, amount: float) -> str:
    whole, cents = f"{amount:,.2f}".split(".")
    return tongue.money.format(whole.replace(",", tongue.thousands) + tongue.decimal + cents)


def _day(tongue: Tongue, *, words: bool) -> Callable[[date], str]:
    form = tongue.long if words else tongue.short
    return lambda day: form.format(d=day.day, m=day.month, y=day.year, name=tongue.months[day.month - 1])


_Rows = list[tuple[str, str]]
_LAYOUTS: tuple[Callable[[str, _Rows], str], ...] = (
    lambda who, rows: "\n".join([who, *(f"{name}: {value}" for name, value in rows)]),
    lambda who, rows: "\n".join([*(f"{name:24}{value:>18}" for name, value in rows), "", who]),
    lambda who, rows: f"{who}. " + "; ".join(f"{name} {value}" for name, value in rows) + ".",
)
