"""Annex volumes of a long report: at most 50 exhibits in full each, rendered apart, their digests printed in the sealed main report.

A volume has no signature, no check code and no digest of the main report in it: the main report names the volume, never the other way,
so that there is one order in which both are made. The same record makes the same bytes; each is rendered in a process of its own.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pikepdf

from . import rendering
from .document import Item
from .wording import Words

ITEMS_MAX = 50
"""Exhibits of a volume, and of a report without volumes."""
FULL_MAX = 40
"""Exhibits without `CONSISTENT` set out in full in a main report, INCONSISTENT first: with the first others as many as in a volume."""
FIRST_MAX = 10
"""Other exhibits set out in full in a main report with volumes: the first ones."""


@dataclass(frozen=True, slots=True)
class Bound:
    number: int
    pdf: bytes
    sha256: str
    pages: int
    first: Words
    last: Words


def needed(items: Sequence[Item]) -> bool:
    return len(items) > ITEMS_MAX


def bind(
    items: Sequence[Item], *, sheet: Callable[[int, Sequence[Item]], Mapping[str, Any]], printed: Callable[[Mapping[str, Any]], bytes]
) -> tuple[Bound, ...]:
    """Every exhibit once, in order.

    sheet     what a volume says, by its number and exhibits
    printed   its unsigned PDF; called from several threads, so it may not ask the database
    """
    if not needed(items):
        return ()
    parts = [items[start : start + ITEMS_MAX] for start in range(0, len(items), ITEMS_MAX)]
    made: list[Future[bytes]] = []
    with ThreadPoolExecutor(rendering.PARALLEL) as press:
        for number, part in enumerate(parts, start=1):
            made.append(press.submit(printed, sheet(number, part)))
            # The next sheet is written while these are printed, and no more than one lies waiting.
            for done in made[: -rendering.PARALLEL]:
                done.result()
    return tuple(_bound(number, pdf.result(), part) for number, (pdf, part) in enumerate(zip(made, parts, strict=True), start=1))


def _bound(number: int, pdf: bytes, part: Sequence[Item]) -> Bound:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        pages = len(opened.pages)
    return Bound(number, pdf, sha256(pdf).hexdigest(), pages, part[0].label, part[-1].label)


def shown_in_main(items: Sequence[Item]) -> tuple[Item, ...]:
    """The exhibits that the main report sets out in full, in their order: all, or what is not CONSISTENT and the first others."""
    if not needed(items):
        return tuple(items)
    open_ = sorted((i for i in items if i.overall != "CONSISTENT"), key=lambda i: i.overall != "INCONSISTENT")[:FULL_MAX]
    first = [i for i in items if i.overall == "CONSISTENT"][:FIRST_MAX]
    chosen = {id(i) for i in (*open_, *first)}
    return tuple(i for i in items if id(i) in chosen)
