"""Reports that were signed without time-stamp are upgraded, archive time-stamps are renewed; what fails is tried again."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.models import Role
from evidence.reports import checking, decisions, issuing, upkeep
from evidence.reports.models import Report
from portal.vault import Vault
from tests import courtroom

from . import conftest

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> str:
    out = io.StringIO()
    call_command("keep_reports", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_signed_without_time_then_upgraded_then_renewed(desk: Path, court_keys: Path, settings: Any) -> None:
    settings.PORTAL_SIGNING_DIR = court_keys
    (court_keys / "tsa.url").write_text("http://127.0.0.1:9/")
    report = issuing.produce(conftest.ordered().pk)
    assistant, judge = courtroom.person("assistant-r"), courtroom.person("judge-r")
    courtroom.join(assistant, report.case, Role.JUDGE_ASSISTANT)
    courtroom.join(judge, report.case, Role.PRESIDING_JUDGE)
    decisions.check(report, by=assistant, annex=report.annex_sha256)
    decisions.send(report, by=judge, annex=report.annex_sha256)
    made = issuing.produce(report.pk)
    # 1. Signed at once, and the register says as what.
    assert (made.state, made.signature_level) == ("signed", "PAdES-B-B"), made.fault
    assert list(upkeep.pending()) == [made] and upkeep.due() == []
    assert f"{made.number}  upgrade  signed as PAdES-B-B" in said("--list")
    # 2. While the authority is away nothing changes, and the sweep does not hammer it.
    upkeep._pauses.clear()
    upkeep.turn()
    assert made.revisions.count() == 1 and upkeep._pauses[made.pk][1] == upkeep.FIRST_PAUSE
    with pytest.raises(CommandError, match="1 of 1"):
        said()
    # 3. It is back: the next turn after the pause upgrades.
    (court_keys / "tsa.url").unlink()
    upkeep.turn()
    assert made.revisions.count() == 1, "paused"
    upkeep._pauses.clear()
    upkeep.turn()
    newest = Report.objects.get(pk=made.pk).newest
    assert newest is not None and (newest.number, newest.level, newest.reason) == (2, "PAdES-B-LTA", "upgraded")
    assert list(upkeep.pending()) == [] and made.signatures.filter(field="DocTS1").exists()
    # 4. A year later it is due, and so it is when the authority's certificate nears its end.
    assert upkeep.due(at=timezone.now() + timedelta(days=364)) == []
    assert [d.report for d in upkeep.due(at=timezone.now() + timedelta(days=366))] == [made]
    [ends] = upkeep.due(at=datetime.now(UTC) + timedelta(days=365 * 10 - 80))
    assert "ends on" in ends.why
    assert said() == "nothing to do\n"
    renewed = upkeep.renew(made)
    assert (renewed.number, renewed.reason) == (3, "renewed") and made.signatures.filter(field="DocTS2").exists()
    # 5. Each revision begins with the one before; the last passes our own check.
    files = []
    for revision in made.revisions.order_by("number"):
        with Vault(settings.PORTAL_VAULT_DIR).open(revision.sha256) as stream:
            files.append(stream.read())
    assert files[1].startswith(files[0]) and files[2].startswith(files[1])
    assert checking.check(files[2], keys=court_keys) == []


def test_a_wrong_passphrase_ends_as_failed_and_says_so(desk: Path, court_keys: Path, settings: Any) -> None:
    settings.PORTAL_SIGNING_DIR = court_keys
    (court_keys / "seal.passphrase").write_text("wrong")
    report = issuing.produce(conftest.ordered().pk)
    Report.objects.filter(pk=report.pk).update(state="checked", checked_by=courtroom.person("checker"))
    judge = courtroom.person("judge-r")
    courtroom.join(judge, report.case, Role.PRESIDING_JUDGE)
    report.refresh_from_db()
    decisions.send(report, by=judge, annex=report.annex_sha256)
    made = issuing.produce(report.pk)
    assert (made.state, made.stage, made.signed_sha256) == ("failed", "sealing", "") and "wrong passphrase" in made.fault
