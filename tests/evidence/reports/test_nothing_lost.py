"""The longest text that each field takes ends on paper as it was written: nothing runs off a page, a column or a cell."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.db import transaction

from evidence.exhibits.statements import TEXT_MAX as STATEMENT_MAX
from evidence.reports import edition, issuing
from evidence.reports.document import ORIGIN_MAX
from evidence.reports.printable import NAME_MAX, TEXT_MAX
from tests import courtroom

from .test_rendering import faults, text_of
from .test_sections import flat

pytestmark = pytest.mark.django_db
HEADS = ("source", "generation", "storage", "notary", "witness", "corroboration")


def ending(mark: str, length: int, filling: str) -> str:
    """`length` characters, the last ones a mark of their own."""
    return (filling * length)[: length - len(mark)] + mark


FILLINGS = {"han": "长文无空格", "latin": "Wide", "words": "several words of it "}


@pytest.mark.parametrize("filling", FILLINGS.values(), ids=FILLINGS)
@pytest.mark.parametrize("language", ["zh-en", "zh", "en"])
def test_the_end_of_the_longest_texts_is_printed(desk: Path, language: str, filling: str) -> None:
    case = courtroom.case(31)
    clerk, party = courtroom.person("clerk-l"), courtroom.person("party-l")
    courtroom.join(clerk, case, "clerk")
    courtroom.join(party, case, "litigant", "plaintiff")
    texts: dict[str, Any] = {
        "name": ending("名末", NAME_MAX, filling),
        "purpose": ending("证末", TEXT_MAX, filling),
        "origin": ending("源末", ORIGIN_MAX, filling),
    }
    file = ending("件末", NAME_MAX, filling)
    exhibit = courtroom.hand_in(case, party, files={file: b"<!doctype html>"}, **texts)
    said = {head: ending(f"述{n}末", STATEMENT_MAX, filling) for n, head in enumerate(HEADS)}
    courtroom.state(exhibit, party, **said)
    verdict = courtroom.run(exhibit, courtroom.consistent()).verdict
    with transaction.atomic():
        report = issuing.order(case, [verdict], by=clerk, language=language)
    made = edition.make(report, issued=datetime.now(UTC))
    assert faults(made.pdf) == []
    printed = flat(text_of(made.pdf))
    whole = [flat(t) for t in (*texts.values(), file, *said.values())]
    assert [t[-4:] for t in whole if t[-4:] not in printed] == []
    # A page's end may stand in the middle of one, never in place of one.
    unit = flat(filling)
    written = sum(t.count(unit) for t in whole)
    assert printed.count(unit) >= written - pages(made.pdf)


def pages(pdf: bytes) -> int:
    return len(pypdfium2.PdfDocument(pdf))
