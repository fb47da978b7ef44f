"""A poor prompt and an effective one, compared by what counts: how many answers are valid.

Both get the same texts, the same model and one request each. The poor one asks for "JSON" and hopes; the effective one is
what assay sends: every field with its name and type, only the object, null for what the text does not say.

    python examples/movie.py
"""

from __future__ import annotations

from client import MODEL, connect
from pydantic import BaseModel, Field, ValidationError

import assay
from assay import decode

TEXTS = (
    "Harbour Lights (1987) is a quiet drama by Ines Moreau about two sisters who run a ferry. 102 minutes.",
    "In the comedy Six Wrong Turnings, directed by Paul Adeyemi in 2014, a driving instructor gets lost. It runs 91 minutes.",
    "Cold Orbit, a 2021 science fiction film by Yuki Tanabe, strands one astronaut for 118 minutes.",
)


class Movie(BaseModel):
    """A film."""

    title: str
    director: str
    year: int = Field(ge=1880, le=2100)
    genre: str | None = None
    minutes: int | None = Field(default=None, gt=0, le=600)


def poor(text: str) -> Movie | None:
    """Ask for JSON without saying which."""
    with connect() as (client, model):
        completion = client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": f"Tell me about this movie in JSON: {text}"}],
            temperature=0,
            max_completion_tokens=120,
        )
    try:
        return Movie.model_validate(decode.read(completion.choices[0].message.content or "").value)
    except (assay.DecodeError, ValidationError):
        return None


def main() -> None:
    hoped = [poor(text) for text in TEXTS]
    with assay.Extractor(Movie, model=MODEL, retries=0, max_tokens=120) as extractor:
        asked = [outcome.value for outcome in extractor.map(TEXTS)]
    for name, movies in (("poor prompt", hoped), ("effective prompt", asked)):
        print(f"{name:<17} {sum(movie is not None for movie in movies)} of {len(TEXTS)} valid")
        for movie in movies:
            print(f"  {movie!r}")


if __name__ == "__main__":
    main()
