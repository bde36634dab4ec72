"""Reports that were signed without time-stamp are upgraded, archive time-stamps are renewed; what fails is tried again."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from cases.models import Role
from evidence.reports import checking, decisions, issuing, patience, upkeep
from evidence.reports.models import Errand, Report
from portal.vault import Vault
from tests import courtroom

from . import conftest, life

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
    # 2. While the authority is away nothing changes, and nobody hammers it: no report asks while it rests.
    assert "did not answer" in patience.resting()
    assert upkeep.turn() == 0 and not Errand.objects.filter(report=made, tries__gt=0).exists()
    patience.answered()
    assert upkeep.turn() == 0 and made.revisions.count() == 1
    assert Errand.objects.get(report=made).tries == 1 and patience.resting()
    with pytest.raises(CommandError, match="1 of 1"):
        said()
    # 3. It is back: the next turn after the pauses upgrades.
    (court_keys / "tsa.url").unlink()
    patience.answered()
    assert upkeep.turn() == 0 and made.revisions.count() == 1, "paused"
    Errand.objects.update(not_before=timezone.now())
    assert upkeep.turn() == 1
    newest = Report.objects.get(pk=made.pk).newest
    assert newest is not None and (newest.number, newest.level, newest.reason) == (2, "PAdES-B-LTA", "upgraded")
    assert list(upkeep.pending()) == [] and made.signatures.filter(field="DocTS1").exists()
    # 4. A year later it is due, and so it is when the authority's certificate nears its end.
    assert upkeep.due(at=timezone.now() + timedelta(days=364)) == []
    assert [d.report for d in upkeep.due(at=timezone.now() + timedelta(days=366))] == [made]
    [ends] = upkeep.due(at=datetime.now(UTC) + timedelta(days=365 * 10 - 80))
    assert "ends on" in ends.said and not ends.lost
    [gone] = upkeep.due(at=datetime.now(UTC) + timedelta(days=365 * 10 + 2))
    assert gone.lost and "ended on" in gone.said
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


def test_what_can_no_longer_be_renewed_is_said_and_keeps_no_other_from_it(desk: Path, court_keys: Path, settings: Any) -> None:
    """Certificates of days: one report's time-stamp is over, another's is revoked, a third is due and renewed."""
    settings.PORTAL_SIGNING_DIR = court_keys
    court = life.Court()
    made = []
    for profiles in ((), ("etsi",), ("fre902",)):
        report = issuing.produce(court.order(profiles=profiles).pk)
        decisions.check(report, by=court.assistant, annex=report.annex_sha256)
        decisions.send(report, by=court.judge, annex=report.annex_sha256)
        made.append(issuing.produce(report.pk))
    assert [m.state for m in made] == ["signed"] * 3, [m.fault for m in made]
    planned = {one.report: one for one in upkeep.schedule()}
    assert {one.why for one in planned.values()} == {upkeep.Why.OLD} and upkeep.due() == []
    later = timezone.now() + timedelta(days=366)
    assert [one.lost for one in upkeep.due(at=later)] == [False] * 3
    over = upkeep.due(at=timezone.now() + timedelta(days=365 * 11))
    assert [one.why for one in over] == [upkeep.Why.ENDED] * 3
    # The bytes of one are gone: its line says so, the others stay as they are.
    Vault(settings.PORTAL_VAULT_DIR).path(made[0].newest.sha256).unlink()  # type: ignore[union-attr]
    whys = {one.report.number: one.why for one in upkeep.schedule()}
    assert whys[made[0].number] in (upkeep.Why.UNREAD, upkeep.Why.OLD) and len(whys) == 3
