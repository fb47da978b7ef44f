"""Thirty short documents of our own in ten schemas, with what should be extracted: easy for a real model, hard for a toy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field


class Person(BaseModel):
    name: str
    age: int
    city: str | None


class Event(BaseModel):
    title: str
    weekday: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    place: str
    seats: int | None


class Invoice(BaseModel):
    vendor: str
    number: str = Field(description="the invoice number")
    total: float
    currency: Literal["EUR", "USD", "GBP"]


class Review(BaseModel):
    product: str
    stars: int = Field(ge=1, le=5)
    sentiment: Literal["positive", "negative"]


class Job(BaseModel):
    title: str
    company: str
    remote: bool
    salary: int | None


class Item(BaseModel):
    name: str
    count: int


class Order(BaseModel):
    customer: str
    items: list[Item]


class Trip(BaseModel):
    origin: str
    destination: str
    departure: str = Field(description="the time of day as written")
    price: float


class Contact(BaseModel):
    name: str
    email: str
    phone: str | None


class Plant(BaseModel):
    plant: str
    height_cm: int
    flowering: bool
    colour: str | None


class Ticket(BaseModel):
    subject: str
    priority: Literal["low", "normal", "high"]
    reporter: str


@dataclass(frozen=True, slots=True)
class Case:
    target: type[BaseModel]
    text: str
    gold: dict[str, Any]


CASES = (
    Case(Person, "Maria Sanchez, 34, moved to Lisbon last year.", {"name": "Maria Sanchez", "age": 34, "city": "Lisbon"}),
    Case(Person, "My neighbour Otto Brandt turned 71 in May.", {"name": "Otto Brandt", "age": 71, "city": None}),
    Case(Person, "Ines Keller is a 28 year old baker from Graz.", {"name": "Ines Keller", "age": 28, "city": "Graz"}),
    Case(
        Event,
        "Book club meets on Thursday in the town library; there are 18 chairs.",
        {"title": "Book club", "weekday": "Thursday", "place": "town library", "seats": 18},
    ),
    Case(
        Event,
        "Jazz night: Saturday at the Blue Barn, 120 seats.",
        {"title": "Jazz night", "weekday": "Saturday", "place": "Blue Barn", "seats": 120},
    ),
    Case(
        Event,
        "Come to the flea market on Sunday at Mill Square.",
        {"title": "flea market", "weekday": "Sunday", "place": "Mill Square", "seats": None},
    ),
    Case(
        Invoice,
        "Invoice R-2209 from Hansen Paper: total due 148.50 EUR.",
        {"vendor": "Hansen Paper", "number": "R-2209", "total": 148.5, "currency": "EUR"},
    ),
    Case(
        Invoice,
        "Acorn Roofing bills you $2300 under invoice 7741.",
        {"vendor": "Acorn Roofing", "number": "7741", "total": 2300, "currency": "USD"},
    ),
    Case(
        Invoice,
        "Please pay GBP 65.20 to Drake Cleaning, invoice no. DC-19.",
        {"vendor": "Drake Cleaning", "number": "DC-19", "total": 65.2, "currency": "GBP"},
    ),
    Case(
        Review,
        "The Solara kettle boils fast and looks great. 5 stars!",
        {"product": "Solara kettle", "stars": 5, "sentiment": "positive"},
    ),
    Case(
        Review,
        "One star. My PixelBook stand broke on the second day.",
        {"product": "PixelBook stand", "stars": 1, "sentiment": "negative"},
    ),
    Case(
        Review,
        "I gave the Nimbus umbrella 2 stars because it leaks.",
        {"product": "Nimbus umbrella", "stars": 2, "sentiment": "negative"},
    ),
    Case(
        Job,
        "Redwood Labs is hiring a data analyst, fully remote, 62000 a year.",
        {"title": "data analyst", "company": "Redwood Labs", "remote": True, "salary": 62000},
    ),
    Case(
        Job,
        "Wanted: pastry chef at Cafe Lumen. On site. Pay is 31000.",
        {"title": "pastry chef", "company": "Cafe Lumen", "remote": False, "salary": 31000},
    ),
    Case(
        Job,
        "Norrland Rail needs a train driver in its depot.",
        {"title": "train driver", "company": "Norrland Rail", "remote": False, "salary": None},
    ),
    Case(
        Order,
        "Mrs. Lund orders 3 lamps and 2 rugs.",
        {"customer": "Mrs. Lund", "items": [{"name": "lamps", "count": 3}, {"name": "rugs", "count": 2}]},
    ),
    Case(Order, "Please send 12 candles to Tom Avery.", {"customer": "Tom Avery", "items": [{"name": "candles", "count": 12}]}),
    Case(
        Order,
        "For Priya Nair: 1 desk, 4 chairs.",
        {"customer": "Priya Nair", "items": [{"name": "desk", "count": 1}, {"name": "chairs", "count": 4}]},
    ),
    Case(
        Trip,
        "The 9:40 bus from Turin to Milan costs 14.90.",
        {"origin": "Turin", "destination": "Milan", "departure": "9:40", "price": 14.9},
    ),
    Case(
        Trip,
        "Fly from Oslo to Bergen at 18:05 for 79.",
        {"origin": "Oslo", "destination": "Bergen", "departure": "18:05", "price": 79},
    ),
    Case(
        Trip,
        "Ferry Calais - Dover, leaves 6:15, ticket 42.50.",
        {"origin": "Calais", "destination": "Dover", "departure": "6:15", "price": 42.5},
    ),
    Case(
        Contact,
        "Reach Ben Okafor at ben@okafor.example or 555-0134.",
        {"name": "Ben Okafor", "email": "ben@okafor.example", "phone": "555-0134"},
    ),
    Case(
        Contact,
        "Write to Lea Fontaine (lea.f@post.example).",
        {"name": "Lea Fontaine", "email": "lea.f@post.example", "phone": None},
    ),
    Case(
        Contact,
        "Call Sam Whitlock on 555-0177; mail sam@whitlock.example.",
        {"name": "Sam Whitlock", "email": "sam@whitlock.example", "phone": "555-0177"},
    ),
    Case(
        Plant,
        "The blue hydrangea is 90 cm tall and in bloom.",
        {"plant": "hydrangea", "height_cm": 90, "flowering": True, "colour": "blue"},
    ),
    Case(
        Plant,
        "Our fern stands 45 cm high; it never flowers.",
        {"plant": "fern", "height_cm": 45, "flowering": False, "colour": None},
    ),
    Case(
        Plant,
        "A red tulip, 30 cm, flowering since Easter.",
        {"plant": "tulip", "height_cm": 30, "flowering": True, "colour": "red"},
    ),
    Case(
        Ticket,
        "Dana reports: printer on floor 2 is jammed. High priority.",
        {"subject": "printer on floor 2 is jammed", "priority": "high", "reporter": "Dana"},
    ),
    Case(
        Ticket,
        "Low priority: the clock in the hall is slow, says Miguel.",
        {"subject": "the clock in the hall is slow", "priority": "low", "reporter": "Miguel"},
    ),
    Case(
        Ticket,
        "Yuki cannot log in since noon; priority normal.",
        {"subject": "cannot log in", "priority": "normal", "reporter": "Yuki"},
    ),
)
