"""The optional pages for courts elsewhere (court-domain §3.2 US-902-13, US-902-14, IN-63A, IN-63B), as data (`profiles.json`).

Forms that people fill and sign: every tick, blank and statement is theirs, and nothing here fills one. Where a law prescribes the form
(`verbatim`), its words stand as enacted and are no words of the system's, like the provisions quoted. A text that was compared with public
reprints only is not `confirmed`; the page says so (`note`), and the court confirms it before use.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .wording import Words


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text, a box to tick with its label, or a blank of about `blank` characters: exactly one of them."""

    text: str = ""
    tick: str = ""
    blank: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    paragraphs: tuple[tuple[Piece, ...], ...]


@dataclass(frozen=True, slots=True)
class Provision:
    """Law quoted word for word. `source`: where the text was compared."""

    name: str
    text: tuple[str, ...]
    source: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """`id` as in `Report.Profile`; `title` and `parts` are in the language of the court elsewhere, English."""

    id: str
    heading: Words
    note: Words
    title: str
    verbatim: bool
    parts: tuple[Part, ...]
    provisions: tuple[Provision, ...]
    sources: tuple[str, ...]


@cache
def profiles() -> dict[str, Profile]:
    data = json.loads(Path(__file__).with_name("profiles.json").read_bytes())
    return {p.id: p for p in map(_profile, data["profiles"])}


def _profile(read: Any) -> Profile:
    return Profile(
        id=read["id"],
        heading=Words(**read["heading"]),
        note=Words(**read["note"]),
        title=read["title"],
        verbatim=read["verbatim"],
        parts=tuple(Part(p["title"], tuple(tuple(_pieces(line)) for line in p["paragraphs"])) for p in read["parts"]),
        provisions=tuple(Provision(p["name"], tuple(p["text"]), p["source"], p["confirmed"]) for p in read["provisions"]),
        sources=tuple(read["sources"]),
    )


def _pieces(line: Any) -> Iterator[Piece]:
    for piece in line:
        yield Piece(text=piece) if isinstance(piece, str) else Piece(**piece)
