"""Who works on a report: leases, lost leases, keys that cannot be used, workers that die; nothing issued twice, nothing lost, nothing unsigned."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from evidence.reports import decisions, errands, issuing, keyring, patience, signing, upkeep
from evidence.reports.models import Errand, Report, Revision, Step

from . import life

ROOT = Path(__file__).parents[3]


def sealing(court: life.Court, *profiles: str) -> Report:
    made = court.draft(profiles=profiles)
    decisions.check(made, by=court.assistant, annex=made.annex_sha256)
    return decisions.send(made, by=court.judge, annex=made.annex_sha256)


def over(report: Report) -> None:
    """The lease of whoever has it has run out."""
    Errand.objects.filter(report=report).update(lease_until=timezone.now())


# ── claims ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_one_worker_at_a_time_and_the_next_when_the_lease_is_over(court: life.Court) -> None:
    report = court.order()
    first = errands.claim(report.pk)
    assert first is not None and errands.claim(report.pk) is None
    assert issuing.waiting() == [] and issuing.produce(report.pk).state == "preparing", "somebody is at it"
    over(report)
    second = errands.claim(report.pk)
    assert second is not None and second.fence == first.fence + 1
    with pytest.raises(errands.Lost), errands.guarded(first):
        Report.objects.filter(pk=report.pk).update(fault="written by the one who lost")
    report.refresh_from_db()
    assert report.fault == ""
    with errands.guarded(second):
        errands.done(second)
    assert issuing.waiting() == [report.pk]


@pytest.mark.django_db
def test_who_lost_the_lease_while_signing_writes_nothing(court: life.Court, press: life.Press, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slower than its lease: the other's signature counts, its own is thrown away."""
    report = sealing(court)
    plain, calls = press.seal, []

    def slow(pdf: bytes, **more: Any) -> signing.Signed:
        calls.append(pdf)
        if len(calls) == 1:
            over(report)
            assert issuing.produce(report.pk).state == "signed"
            return signing.Signed(pdf + b" sealed by the slow one", "PAdES-B-LTA")
        return plain(pdf, **more)

    monkeypatch.setattr(signing, "seal", slow)
    made = issuing.produce(report.pk)
    assert len(calls) == 2 and made.state == "signed"
    assert Revision.objects.filter(report=report).count() == 1
    assert Step.objects.filter(report=report, act="signed").count() == 1


@pytest.mark.django_db
def test_the_keys_are_used_for_one_report_at_a_time(court: life.Court) -> None:
    one, other = sealing(court), sealing(court, "etsi")
    assert one.pk != other.pk
    claim = errands.claim(one.pk, signing=True)
    assert claim is not None and errands.claim(other.pk, signing=True) is None
    assert issuing.produce(other.pk).state == "sealing"
    assert errands.claim(court.order("judge").pk) is not None, "a draft needs no key"
    over(one)
    assert issuing.produce(other.pk).state == "signed"


@pytest.mark.django_db(transaction=True)
def test_no_row_of_the_record_is_locked_while_it_is_signed(court: life.Court, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody opens the page and writes to the case while the authority keeps silent."""
    report = sealing(court)
    waited: list[float] = []

    def slow(pdf: bytes, **_: Any) -> signing.Signed:
        def other() -> None:
            try:
                began = time.monotonic()
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '2s'")
                    Report.objects.select_for_update().get(pk=report.pk)
                    Errand.objects.select_for_update().get(pk=report.pk)
                waited.append(time.monotonic() - began)
            finally:
                connection.close()

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert not connection.in_atomic_block
        return signing.Signed(pdf + b" sealed", "PAdES-B-LTA")

    monkeypatch.setattr(signing, "seal", slow)
    assert issuing.produce(report.pk).state == "signed"
    assert waited and waited[0] < 1


@pytest.mark.django_db(transaction=True)
def test_a_long_wait_keeps_its_lease(court: life.Court, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "LEASE_SECONDS", 1)
    monkeypatch.setattr(errands, "BEAT_SECONDS", 0.2)
    report = sealing(court)

    def slow(pdf: bytes, **_: Any) -> signing.Signed:
        time.sleep(2)
        assert errands.claim(report.pk) is None
        return signing.Signed(pdf + b" sealed", "PAdES-B-LTA")

    monkeypatch.setattr(signing, "seal", slow)
    assert issuing.produce(report.pk).state == "signed"


# ── keys at fault ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_a_key_at_fault_keeps_it_in_the_queue_and_says_so(court: life.Court, monkeypatch: pytest.MonkeyPatch, press: life.Press) -> None:
    report = sealing(court)

    def broken(pdf: bytes, **_: Any) -> signing.Signed:
        raise signing.SigningError("the e-seal key cannot be opened in its token: NoSuchToken")

    monkeypatch.setattr(signing, "seal", broken)
    for n in range(1, 9):  # more often than a worker may be killed
        made = issuing.produce(report.pk)
        assert (made.state, made.signed_sha256) == ("sealing", "") and "NoSuchToken" in made.fault
        errand = Errand.objects.get(report=report)
        assert errand.tries == n and errand.not_before is not None
        assert issuing.produce(report.pk).attempts == 0 and Errand.objects.get(report=report).tries == n, "not before its pause is over"
        assert issuing.waiting() == []
        Errand.objects.filter(report=report).update(not_before=timezone.now())
    assert not Revision.objects.filter(report=report).exists()
    monkeypatch.setattr(signing, "seal", press.seal)
    made = issuing.produce(report.pk)
    assert (made.state, made.fault) == ("signed", "") and Errand.objects.get(report=report).fault == ""


@pytest.mark.django_db
def test_a_pause_doubles_to_an_hour(court: life.Court) -> None:
    report, pauses = court.order(), []
    for _ in range(8):
        claim = errands.claim(report.pk, now=True)
        assert claim is not None
        errands.put_off(claim, fault="x\0" + "y" * 400)
        errand = Errand.objects.get(report=report)
        assert errand.not_before is not None and errand.at is not None
        pauses.append(round((errand.not_before - errand.at).total_seconds()))
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600]


@pytest.mark.django_db
def test_a_refused_pin_is_not_sent_again_until_its_file_changes(
    court: life.Court, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path, press: life.Press
) -> None:
    """Three wrong ones lock most tokens, and other reports wait for the same key."""
    settings.PORTAL_SIGNING_DIR = tmp_path / "keys"
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "seal.pkcs11.json").write_text('{"pin_file": "seal.pin"}')
    pin = tmp_path / "keys" / "seal.pin"
    pin.write_text("999999")
    sent: list[str] = []

    def token(pdf: bytes, **more: Any) -> signing.Signed:
        sent.append(pin.read_text())
        if sent[-1] != "123456":
            (mark,) = keyring.marks(tmp_path / "keys", clerk=None, judge=None)
            raise keyring.WrongPin("the e-seal key cannot be opened in its token: wrong PIN", mark)
        return press.seal(pdf, **more)

    monkeypatch.setattr(signing, "seal", token)
    for report in (sealing(court), sealing(court, "etsi")):
        made = issuing.produce(report.pk)
        assert made.state == "sealing" and "wrong PIN" in made.fault
    assert sent == ["999999"]
    pin.write_text("123456")
    os.utime(pin, ns=(1, 1))
    Errand.objects.update(not_before=timezone.now())
    assert issuing.produce(made.pk).state == "signed" and sent == ["999999", "123456"]


@pytest.mark.django_db
def test_while_the_authority_rests_reports_are_signed_at_once(court: life.Court, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def seal(pdf: bytes, *, resting: str = "", **_: Any) -> signing.Signed:
        asked.append(resting)
        return signing.Signed(pdf + b" sealed", "PAdES-B-B", pending=resting or "did not answer", unanswered=True)

    monkeypatch.setattr(signing, "seal", seal)
    for report in (sealing(court), sealing(court, "etsi")):
        assert issuing.produce(report.pk).signature_level == "PAdES-B-B"
    assert asked == ["", "did not answer"]
    patience.answered()
    assert patience.resting() == ""


@pytest.mark.django_db
def test_rest_grows_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from portal.people.models import Attempt

    left = []
    for _ in range(8):
        patience.rest("did not answer")
        (row,) = [a for a in Attempt.objects.all() if "stamping.rest" in a.key]
        left.append(round((row.expires_at - timezone.now()).total_seconds()))
    assert left == [30, 60, 120, 240, 480, 960, 1800, 1800]
    patience.answered()
    assert patience.resting() == ""


# ── a turn has an end ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_a_turn_of_upgrades_is_bounded_and_silence_ends_it(court: life.Court, monkeypatch: pytest.MonkeyPatch) -> None:
    from evidence.reports.stamping import TimestampFault

    def bare(pdf: bytes, **_: Any) -> signing.Signed:
        return signing.Signed(pdf + b" sealed", "PAdES-B-B", pending="did not answer")

    monkeypatch.setattr(signing, "seal", bare)
    reports = [issuing.produce(sealing(court).pk) for _ in range(4)]
    assert [r.pk for r in upkeep.pending()] == [r.pk for r in reports]
    tried: list[bytes] = []

    def slow(pdf: bytes, **_: Any) -> signing.Signed:
        tried.append(pdf)
        time.sleep(0.3)
        raise signing.SigningError("a list in crls/ has run out")

    monkeypatch.setattr(signing, "upgrade", slow)
    assert upkeep.turn(seconds=0.5) == 0 and len(tried) == 2

    def silent(pdf: bytes, **_: Any) -> signing.Signed:
        tried.append(pdf)
        raise TimestampFault("did not answer")

    monkeypatch.setattr(signing, "upgrade", silent)
    assert upkeep.turn() == 0 and len(tried) == 3, "the first silence ends the turn"
    assert upkeep.turn() == 0 and len(tried) == 3, "and all others wait"


# ── a worker dies ─────────────────────────────────────────────────────────────────────────────────────────────────────

DIES = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from django.db import connections
connections["default"].settings_dict["NAME"] = sys.argv[1]
settings.PORTAL_VAULT_DIR = sys.argv[2]
from evidence.reports import checking, edition, issuing, signing
from tests.evidence.reports import life
press = life.Press()
edition.make, edition.conform = press.make, lambda pdf: None
checking.check = lambda pdf, **_: []
issuing.signatories, issuing._pages = (lambda pdf: []), (lambda pdf: 3)
def seal(pdf, **_):
    made = press.seal(pdf)
    if sys.argv[4] == "signed":
        os.kill(os.getpid(), signal.SIGKILL)
    return made
def kept(*a, **k):
    os.kill(os.getpid(), signal.SIGKILL)
signing.seal = seal
if sys.argv[4] == "written":
    issuing.errands.done = kept
issuing.produce(int(sys.argv[3]))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("when", ["signed", "written"])
def test_a_worker_killed_between_signature_and_commit(court: life.Court, settings: Any, when: str) -> None:
    """`signed`: the key has signed, nothing is stored. `written`: rows and bytes are written, the transaction is open."""
    report = sealing(court)
    command = [sys.executable, "-c", DIES, connection.settings_dict["NAME"], str(settings.PORTAL_VAULT_DIR), str(report.pk), when]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    report.refresh_from_db()
    assert (report.state, report.signed_sha256, report.attempts) == ("sealing", "", 1)
    assert not Revision.objects.exists() and not Step.objects.filter(act="signed").exists()
    assert issuing.produce(report.pk).state == "sealing", "the lease of the dead is not over"
    over(report)
    assert issuing.waiting() == [report.pk]
    made = issuing.produce(report.pk)
    assert made.state == "signed" and Revision.objects.filter(report=report).count() == 1
    assert Step.objects.filter(report=report, act="signed").count() == 1
