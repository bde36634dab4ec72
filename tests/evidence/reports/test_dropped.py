"""A file at the door: the court's bytes, the court's bytes with something behind them, and everything that only looks like them."""

import hashlib
import io
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.db import transaction

from evidence.reports import dropped, signing
from evidence.reports.dropped import Kind
from evidence.reports.models import Report, Revision
from portal.ledger import sequencer
from portal.ledger.entries import record
from tests import courtroom

from .conftest import FONTS

pytestmark = pytest.mark.django_db


def issued(pdf: bytes, *, state: str = "signed") -> Revision:
    """A signed report of these bytes, as the register and the ledger have it."""
    case, clerk = courtroom.case(7), courtroom.person("clerk")
    report = courtroom.report(case, clerk, state=state, number="HY2026-000001", signed=pdf)
    _entered(report, hashlib.sha256(pdf).hexdigest())
    return report.revisions.get()


def revised(report: Report, sha256: str) -> Revision:
    _entered(report, sha256)
    return Revision.objects.create(
        report=report, number=report.revisions.count() + 1, sha256=sha256, level="PAdES-B-LTA", reason="renewed", at=datetime.now(UTC)
    )


def _entered(report: Report, sha256: str) -> None:
    with transaction.atomic():
        record("report.sign", actor=report.created_by, case=report.case, subject_digest=sha256, params=PARAMS)


PARAMS = {"report": "HY2026-000001", "annex": "", "unsigned": "", "level": "PAdES-B-LTA"}


@pytest.fixture
def look(desk: Path, ledger_dir: Path, tmp_path: Path) -> Callable[[bytes], dropped.Looked]:
    def looked(data: bytes) -> dropped.Looked:
        place = tmp_path / "dropped.pdf"
        place.write_bytes(data)
        return dropped.look(place)

    return looked


@pytest.mark.django_db(transaction=True)
def test_the_court_s_bytes(look: Any, sealed: bytes) -> None:
    revision = issued(sealed)
    found = look(sealed)
    assert (found.kind, found.revision, found.added) == (Kind.ISSUED, revision, 0)
    assert found.recorded.index is None and found.recorded.size is None, "no signed head has it yet"
    sequencer.sequence()
    sequencer.sign_head()
    found = look(sealed)
    assert found.recorded.size > found.recorded.index >= 0


@pytest.mark.parametrize("behind", [b"\n", b"%comment", b"\n%%EOF\n", b"\0" * (1 << 20), b"5 0 obj\n<<>>\nendobj\n%%EOF"])
def test_something_behind_them(look: Any, sealed: bytes, behind: bytes) -> None:
    revision = issued(sealed)
    found = look(sealed + behind)
    assert (found.kind, found.revision, found.added) == (Kind.EXTENDED, revision, len(behind))


def test_an_update_by_a_pdf_program_is_something_behind_them(look: Any, sealed: bytes) -> None:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    revision = issued(sealed)
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed))
    writer.root["/OpenAction"] = writer.root.raw_get("/Pages")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    found = look(out.getvalue())
    assert (found.kind, found.revision) == (Kind.EXTENDED, revision)


def test_the_newest_of_several_revisions_in_a_file_is_named(look: Any, sealed: bytes) -> None:
    first = issued(sealed)
    later = sealed + b"\n9 0 obj null endobj\nstartxref\n0\n%%EOF\n"
    second = revised(first.report, hashlib.sha256(later).hexdigest())
    assert look(later).revision == second
    assert look(later + b"x").revision == second


def test_changed_bytes(look: Any, sealed: bytes) -> None:
    """Wherever: it is no issued report, and no unbroken seal. A change that makes the signature unreadable leaves no seal to speak of."""
    issued(sealed)
    kinds = set()
    for part in (0.02, 0.3, 0.5, 0.7):
        at = int(len(sealed) * part)
        kinds.add(look(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]).kind)
    assert Kind.BROKEN in kinds and kinds <= {Kind.BROKEN, Kind.NOT_OURS, Kind.UNREADABLE}


def test_a_seal_of_the_court_on_bytes_that_were_never_issued(look: Any, sealed: bytes) -> None:
    """Somebody holds the key, or a row was lost: never an issued report, and never called unbroken proof of one."""
    found = look(sealed)
    assert (found.kind, found.revision, found.recorded) == (Kind.SEALED_UNKNOWN, None, None)


def test_a_seal_of_somebody_else(look: Any, unsigned: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    from portal.demonstration import authority

    other = tmp_path_factory.mktemp("other")
    authority.ensure(other, at=datetime.now(UTC))
    theirs = signing.seal(unsigned, keys=other, words=("试验法院",), fonts=FONTS).pdf
    assert look(theirs).kind is Kind.NOT_OURS


@pytest.mark.parametrize("lie", [b"", b"[]", b"{}", b'{"findings": 1}', b'{"findings": [{"check": 1}]}', b'{"findings": [{"check": "SIG.CHAIN"}]}', b"\xff"])
def test_an_engine_that_was_taken_over_is_not_believed(look: Any, unsigned: bytes, monkeypatch: pytest.MonkeyPatch, lie: bytes) -> None:
    from evidence.runs.jail import JailResult

    monkeypatch.setattr(dropped.Jail, "run", lambda *a, **k: JailResult(lie, None, 0.0, 0))
    assert look(unsigned).kind is Kind.UNREADABLE


def test_no_signature_no_pdf_and_nothing_at_all(look: Any, unsigned: bytes) -> None:
    assert look(unsigned).kind is Kind.NOT_OURS
    assert look(b"GIF89a").kind is Kind.UNREADABLE
    assert look(b"").kind is Kind.UNREADABLE
    assert look(b"%PDF-1.7\n%%EOF").kind in (Kind.UNREADABLE, Kind.NOT_OURS)
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(out)
    assert look(out.getvalue()).kind is Kind.NOT_OURS


def test_every_end_is_found_wherever_the_blocks_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a plain reading of the whole file, for every size of block around the mark."""
    data = b"a%%EOF\r\nbc%%EOF%%EOF\n\r%%EO%%EOF\rF%%EOF"
    plain = sorted({e for m in re.finditer(rb"%%EOF(\r\n|\n|\r)?", data) for e in (m.start() + 5, m.end())})
    place = tmp_path / "x"
    place.write_bytes(data)
    for size in range(1, len(data) + 2):
        monkeypatch.setattr(dropped, "_BLOCK", size)
        whole, found = dropped._digests(place)
        assert whole == hashlib.sha256(data).hexdigest()
        assert found == [(e, hashlib.sha256(data[:e]).hexdigest()) for e in plain], size


def test_marks_without_number_cost_no_more_than_their_bytes(tmp_path: Path) -> None:
    place = tmp_path / "x"
    place.write_bytes(random.Random(1).randbytes(100) + b"%%EOF\n" * 500_000)
    whole, found = dropped._digests(place)
    assert len(found) == dropped.ENDS_MAX and whole == hashlib.sha256(place.read_bytes()).hexdigest()


def test_no_key_lies_where_the_engine_may_read(desk: Path, tmp_path: Path) -> None:
    pack = dropped.seals(tmp_path / "pack")
    names = {p.name for p in pack.rglob("*") if p.is_file()}
    assert not [n for n in names if n.endswith((".p12", ".key", ".passphrase"))] and "manifest.json" in names


@pytest.mark.parametrize("state", ["released", "superseded", "revoked"])
def test_the_states_of_the_register(look: Any, sealed: bytes, state: str) -> None:
    issued(sealed, state=state)
    found = look(sealed)
    assert (found.kind, found.revision.report.state) == (Kind.ISSUED, state), "the page says what became of it"
