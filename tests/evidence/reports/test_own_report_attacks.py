"""Our own signed report with a revision put on top of it, shown to the public check: once while the register knows the report, once
while it does not, so that the engine alone must see what the revision does."""

import io
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import PdfTimeStamper

from evidence.reports import stamping
from evidence.reports.dropped import Kind

from .conftest import context
from .test_checking import ATTACKS, Attack, nothing_to_see, revised
from .test_dropped import issued
from .test_dropped import look as look  # a fixture

pytestmark = pytest.mark.django_db


def _name(text: str) -> generic.NameObject:
    return generic.NameObject(text)


def page_swapped(writer: IncrementalPdfFileWriter) -> None:
    """Another page stands where the only one stood."""
    pages = writer.root["/Pages"]
    content = writer.add_object(generic.StreamObject(stream_data=b"0 0 1 rg 0 0 500 500 re f"))
    page = generic.DictionaryObject(
        {_name("/Type"): _name("/Page"), _name("/Parent"): writer.root.raw_get("/Pages"), _name("/Contents"): content,
         _name("/MediaBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))}
    )  # fmt: skip
    pages["/Kids"] = generic.ArrayObject([writer.add_object(page)])
    writer.update_container(pages)


def form_filled(writer: IncrementalPdfFileWriter) -> None:
    """A text field with a value that is drawn over the page."""
    drawn = generic.StreamObject(stream_data=b"1 1 1 rg 0 0 500 700 re f")
    drawn.update({_name("/Type"): _name("/XObject"), _name("/Subtype"): _name("/Form"),
                  _name("/BBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 500, 700)))})  # fmt: skip
    field = generic.DictionaryObject(
        {_name("/Type"): _name("/Annot"), _name("/Subtype"): _name("/Widget"), _name("/FT"): _name("/Tx"),
         _name("/T"): generic.TextStringObject("result"), _name("/V"): generic.TextStringObject("x"), _name("/F"): generic.NumberObject(4),
         _name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (50, 50, 550, 750))),
         _name("/AP"): generic.DictionaryObject({_name("/N"): writer.add_object(drawn)})}
    )  # fmt: skip
    placed = writer.add_object(field)
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Annots"].append(placed)
    writer.update_container(page["/Annots"])
    writer.root["/AcroForm"]["/Fields"].append(placed)
    writer.update_container(writer.root["/AcroForm"]["/Fields"])


def seal_drawn_otherwise(writer: IncrementalPdfFileWriter) -> None:
    """The picture of a signature is exchanged."""
    for reference in writer.root["/AcroForm"]["/Fields"]:
        field = reference.get_object()
        if field.get("/T") == "CourtSeal":
            widget = field if "/AP" in field else field["/Kids"][0]
            drawn = generic.StreamObject(stream_data=b"1 0 0 rg -300 -300 900 900 re f")
            drawn.update({_name("/Type"): _name("/XObject"), _name("/Subtype"): _name("/Form"),
                          _name("/BBox"): generic.ArrayObject(map(generic.NumberObject, (-300, -300, 600, 600)))})  # fmt: skip
            widget["/AP"]["/N"] = writer.add_object(drawn)
            writer.update_container(widget["/AP"])
            return
    raise AssertionError("no court seal")


def fonts_exchanged(writer: IncrementalPdfFileWriter) -> None:
    """The letters stay; what they look like is taken away."""
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Resources"] = generic.DictionaryObject({_name("/Font"): generic.DictionaryObject()})
    writer.update_container(page)


def hidden_by_a_box(writer: IncrementalPdfFileWriter) -> None:
    """Only the lower corner of the page is shown."""
    page = writer.root["/Pages"]["/Kids"][0]
    page[_name("/CropBox")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 10, 10)))
    writer.update_container(page)


CHANGES: list[Attack] = [*(a for a in ATTACKS if a is not nothing_to_see), page_swapped, form_filled, seal_drawn_otherwise, fonts_exchanged, hidden_by_a_box]


def evidence_stuffed(writer: IncrementalPdfFileWriter) -> None:
    """A certificate more in the document security store."""
    store = writer.root["/DSS"]
    stream = writer.add_object(generic.StreamObject(stream_data=b"0\x03\x02\x01\x01"))
    store["/Certs"] = generic.ArrayObject([*store.get("/Certs", ()), stream])
    writer.update_container(store)


@pytest.mark.parametrize("change", [*CHANGES, evidence_stuffed, nothing_to_see], ids=lambda c: c.__name__)
def test_the_register_knows_what_the_revision_was_put_on(look: Any, three: bytes, change: Attack) -> None:
    revision = issued(three)
    data = revised(three, change)
    found = look(data)
    assert (found.kind, found.revision, found.added) == (Kind.EXTENDED, revision, len(data) - len(three))


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: c.__name__)
def test_without_the_register_the_engine_sees_the_change(look: Any, three: bytes, change: Attack) -> None:
    """A seal that was put on other pages than these is never called unbroken."""
    found = look(revised(three, change))
    assert found.kind is Kind.BROKEN, (found.kind, found.checks)
    assert any(outcome != "PASSED" for field, _, outcome in found.checks if field == "CourtSeal")


@pytest.mark.parametrize("addition", [evidence_stuffed, nothing_to_see], ids=lambda c: c.__name__)
def test_what_changes_no_page_is_still_no_report(look: Any, three: bytes, addition: Attack) -> None:
    found = look(revised(three, addition))
    assert found.kind in (Kind.SEALED_UNKNOWN, Kind.BROKEN) and found.revision is None


def test_a_time_stamp_on_top(look: Any, three: bytes, keys: Path) -> None:
    """Anybody may add one, of any authority: known, it is an addition; unknown, it makes no report of it."""
    out = PdfTimeStamper(stamping.stamper(keys), field_name="Another").timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(three)), "sha256", validation_context=context(keys)
    )
    assert look(out.getvalue()).kind in (Kind.SEALED_UNKNOWN, Kind.BROKEN)
    revision = issued(three)
    found = look(out.getvalue())
    assert (found.kind, found.revision) == (Kind.EXTENDED, revision)


def test_a_change_and_a_time_stamp_of_the_court_s_own_authority_over_it(look: Any, three: bytes, keys: Path) -> None:
    """Somebody has the court's time-stamps made over a changed file: the last signature fits, the seal does not."""
    changed = revised(three, page_swapped)
    out = PdfTimeStamper(stamping.stamper(keys), field_name="Another").timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(changed)), "sha256", validation_context=context(keys)
    )
    assert look(out.getvalue()).kind is Kind.BROKEN


def test_taken_back_again(look: Any, three: bytes) -> None:
    """One revision changes the page, the next one restores it: other bytes than the court's all the same."""
    kept: dict[str, Any] = {}

    def back(writer: IncrementalPdfFileWriter) -> None:
        writer.root["/Pages"]["/Kids"] = generic.ArrayObject([kept["page"]])
        writer.update_container(writer.root["/Pages"])

    def away(writer: IncrementalPdfFileWriter) -> None:
        first = writer.root["/Pages"]["/Kids"].raw_get(0)
        kept["page"] = generic.IndirectObject(first.idnum, first.generation, None)
        page_swapped(writer)

    data = revised(revised(three, away), back)
    assert look(data).kind is Kind.BROKEN
    issued(three)
    assert look(data).kind is Kind.EXTENDED
