"""A report through the years: certificates end, lists run out, keys are revoked, archive time-stamps are renewed.

No wall clock: each certificate of this authority really is over at the moment of the check, and each list has run out.
"""

import io
import shutil
from pathlib import Path

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import PdfTimeStamper

from evidence.reports import checking, signing, stamping
from evidence.reports.keyring import SigningError

from .conftest import FONTS
from .court_of_years import Years, day

SIGNED, RENEWED = "2026-06-01", "2028-01-15"


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Years:
    """Seal and clerk until the end of 2026, the first time-stamping certificate until mid 2028."""
    made = Years(tmp_path_factory.mktemp("years"))
    made.seal("2026-01-01", "2026-12-31")
    made.person("clerk-y", "2026-01-01", "2026-12-31")
    made.stamps("2026-01-01", "2028-06-30", "TSA ONE")
    made.list(SIGNED)
    return made


@pytest.fixture(scope="module")
def signed(unsigned: bytes, years: Years) -> bytes:
    made = signing.seal(unsigned, keys=years.directory, words=("试验",), fonts=FONTS, clerk="clerk-y", at=day(SIGNED))
    assert (made.level, made.pending) == ("PAdES-B-LTA", "")
    return made.pdf


@pytest.fixture
def court(years: Years, signed: bytes, tmp_path: Path) -> Years:
    """The same court, whose lists and keys a test may change."""
    copied = tmp_path / "keys"
    shutil.copytree(years.directory, copied)
    changed = Years.__new__(Years)
    changed.__dict__ = years.__dict__ | {"directory": copied, "revoked": {}, "serials": dict(years.serials)}
    return changed


def faults(pdf: bytes, court: Years, on: str) -> list[str]:
    return checking.check(pdf, keys=court.directory, at=court.list(on))


def renewed(pdf: bytes, court: Years, on: str, tsa: str = "", *, until: str = "2036-12-31") -> bytes:
    if tsa:
        court.stamps("2026-06-02", until, tsa)
    return signing.renew(pdf, keys=court.directory, at=court.list(on)).pdf


def test_while_everything_is_in_force(signed: bytes, court: Years) -> None:
    assert faults(signed, court, "2026-06-02") == []
    found = checking.examine(signed, anchors=court.directory, at=court.list("2026-06-02"))
    assert found.sealed_at is not None and abs((found.sealed_at - day(SIGNED)).total_seconds()) < 60


def test_signers_have_expired_but_the_time_stamp_holds(signed: bytes, court: Years) -> None:
    """And the list that stood in the file has run out, and the new ones leave expired certificates out."""
    court.list("2027-06-01", gone=("SEAL", "clerk-y"))
    assert checking.check(signed, keys=court.directory, at=day("2027-06-01")) == []


def test_the_outermost_time_stamp_needs_a_list_of_today(signed: bytes, court: Years) -> None:
    court.list("2026-08-01")
    (found,) = [f for f in checking.check(signed, keys=court.directory, at=day("2027-06-01")) if f.startswith("DocTS1")]
    assert "nothing shows it not revoked" in found


def test_an_expired_time_stamp_without_a_newer_one_is_worth_nothing(signed: bytes, court: Years) -> None:
    found = faults(signed, court, "2028-07-15")
    assert any(f.startswith("DocTS1") and "expired" in f for f in found), found


def test_and_can_then_not_be_renewed(signed: bytes, court: Years) -> None:
    with pytest.raises(SigningError, match="DocTS1.*expired"):
        renewed(signed, court, "2028-07-15", "TSA TWO")


@pytest.mark.parametrize("on", ["2028-01-16", "2028-12-01", "2035-06-01"])
def test_renewed_in_time_it_holds_for_years(signed: bytes, court: Years, on: str) -> None:
    again = renewed(signed, court, RENEWED, "TSA TWO")
    assert again.startswith(signed)
    court.list(on, gone=("SEAL", "clerk-y", "TSA ONE"))
    assert checking.check(again, keys=court.directory, at=day(on)) == []
    found = checking.examine(again, anchors=court.directory, at=day(on))
    assert found.sealed_at is not None and abs((found.sealed_at - day(SIGNED)).total_seconds()) < 60 and found.outlived == ()


def test_a_renewal_in_every_certificates_life(signed: bytes, court: Years) -> None:
    """2026 to 2035, five authorities one after the other, each over before the check."""
    pdf = signed
    for number, (on, until) in enumerate([("2028-01-15", "2029-12-31"), ("2029-06-01", "2031-12-31"), ("2031-06-01", "2033-12-31"), ("2033-06-01", "2036-01-01")]):
        pdf = renewed(pdf, court, on, f"TSA {number}", until=until)
    assert faults(pdf, court, "2035-06-01") == []
    assert faults(pdf, court, "2036-02-01") != []
    end = signing.renew(pdf, keys=court.directory, at=court.list("2035-06-01")).pdf
    assert end.startswith(pdf)


@pytest.mark.parametrize("who", ["SEAL", "clerk-y"])
def test_revoked_after_the_time_stamp_stays_good(signed: bytes, court: Years, who: str) -> None:
    court.revoke(who, "2026-06-20")
    assert faults(signed, court, "2026-07-01") == []
    again = renewed(signed, court, RENEWED, "TSA TWO")
    assert faults(again, court, "2035-06-01") == []


@pytest.mark.parametrize("who", ["SEAL", "clerk-y"])
def test_revoked_before_the_time_stamp_is_bad_though_it_is_learnt_later(signed: bytes, court: Years, who: str) -> None:
    """The list in the file still calls it good; the court's list of July says: revoked since May."""
    field = {"SEAL": "CourtSeal", "clerk-y": "Clerk"}[who]
    again = renewed(signed, court, RENEWED, "TSA TWO")
    court.revoke(who, "2026-05-15")
    for pdf, on in ((signed, "2026-07-01"), (signed, "2027-06-01"), (again, "2035-06-01")):
        found = faults(pdf, court, on)
        assert any(f.startswith(f"{field}: no path to the court's anchors (revoked") for f in found), (on, found)


def test_a_time_stamping_key_revoked_after_it_was_stamped_over_stays_good(signed: bytes, court: Years) -> None:
    again = renewed(signed, court, RENEWED, "TSA TWO")
    court.revoke("TSA ONE", "2028-03-01")
    assert faults(again, court, "2028-04-01") == []


def test_a_time_stamping_key_revoked_before_it_was_stamped_over_proves_nothing(signed: bytes, court: Years) -> None:
    """Whoever had that key could have dated anything: the signatures are judged at the next time-stamp, when their certificates were over."""
    again = renewed(signed, court, RENEWED, "TSA TWO")
    court.revoke("TSA ONE", "2027-03-01")
    found = faults(again, court, "2028-04-01")
    assert any(f.startswith("CourtSeal") and "expired" in f for f in found), found


def test_the_next_time_stamp_stands_for_it_where_it_came_in_time(signed: bytes, court: Years) -> None:
    again = renewed(signed, court, "2026-09-01", "TSA TWO")
    court.revoke("TSA ONE", "2026-08-01")
    at = court.list("2028-04-01")
    found = checking.examine(again, anchors=court.directory, at=at)
    assert found.faults == () and any("DocTS1" in f and "revoked" in f for f in found.outlived)
    assert found.sealed_at is not None and abs((found.sealed_at - day("2026-09-01")).total_seconds()) < 60, "proven by the second only"


def test_a_revoked_authority_is_asked_for_nothing(signed: bytes, court: Years) -> None:
    court.revoke("TSA ONE", "2026-07-01")
    with pytest.raises(SigningError):
        renewed(signed, court, "2026-08-01")


def test_a_strangers_time_stamp_on_top_is_refused(signed: bytes, court: Years, tmp_path: Path) -> None:
    """Nobody but the court's authority extends a report, though what lies below still holds."""
    stranger = Years(tmp_path / "stranger", common="ANOTHER ROOT")
    stranger.stamps("2026-01-01", "2036-01-01", "STRANGER")
    at = stranger.list("2026-07-01")
    out = PdfTimeStamper(stamping.stamper(stranger.directory, at=at), field_name="DocTS2").timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(signed)), "sha256"
    )
    found = faults(out.getvalue(), court, "2026-07-01")
    assert any(f.startswith("DocTS2: no path to the court's anchors") for f in found), found


def test_a_time_stamp_from_before_what_it_covers_is_refused(signed: bytes, court: Years) -> None:
    again = renewed(signed, court, "2026-07-01")
    court.stamps("2026-01-01", "2036-01-01", "TSA BACK")
    earlier = PdfTimeStamper(stamping.stamper(court.directory, at=court.list("2026-03-01")), field_name="DocTS3").timestamp_pdf(
        IncrementalPdfFileWriter(io.BytesIO(again)), "sha256"
    )
    assert faults(earlier.getvalue(), court, "2026-07-02") != []


def test_a_check_before_the_report_was_made_is_no_pass(signed: bytes, court: Years) -> None:
    assert faults(signed, court, "2026-03-01") != []


def test_signed_without_time_it_must_be_upgraded_before_the_certificates_end(unsigned: bytes, court: Years) -> None:
    bare = signing.seal(unsigned, keys=court.directory, words=("试验",), fonts=FONTS, at=court.list(SIGNED), resting="test")
    assert bare.level == "PAdES-B-B" and bare.unanswered
    with pytest.raises(SigningError, match="expired"):
        signing.upgrade(bare.pdf, keys=court.directory, at=court.list("2027-02-01"))
    later = signing.upgrade(bare.pdf, keys=court.directory, at=court.list("2026-10-01"))
    assert faults(later.pdf, court, "2027-02-01") == []
    court.revoke("SEAL", "2026-08-01")  # signed before, but nothing proves it
    assert any(f.startswith("CourtSeal") and "revoked" in f for f in faults(later.pdf, court, "2027-02-01"))
