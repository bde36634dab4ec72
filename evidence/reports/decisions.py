"""What people decide about a report: check it, send it back, sign it, open it, give it up, revoke it (court-domain §7, §8).

    check, give_back     draft ⇄ checked                 report.sign by another person than the one who made it · report.generate
    send                 checked → sealing               report.sign, second person; of a correction also report.revoke
    release              signed → released               report.release
    ask_to_revoke, drop_request, revoke                  two persons, one of them the presiding judge
    discard, retry       draft, failed → discarded; failed → back to the work that failed

Every function locks the row, asks the rights, and is safe to press twice: the same decision by the same person again changes
nothing. `Refused` says in plain words why not and what to do; whoever may not know of the act at all gets Http404. The database
refuses the same things once more.
"""

import hashlib
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.access import demand, may
from cases.delegations import presides
from evidence.exhibits.models import Exhibit
from evidence.runs.models import Run, RunVerdict
from portal.ledger.entries import record
from portal.people.models import User

from . import bell
from .issuing import IN_FORCE
from .models import Report, Step

REASON_MAX = Step._meta.get_field("reason").max_length or 0


class Refused(RuntimeError):
    """Not done; the message is for the person who asked."""


@transaction.atomic
def check(report: Report, *, by: User, annex: str) -> Report:
    """Another person has read the draft whose annex digest was shown as `annex`."""
    report = _locked(report)
    if report.state == Report.State.CHECKED and report.checked_by_id == by.pk:
        return report
    _second_person(report, by=by, plainly=_("这份报告是您生成的，复核须由另一人进行。"))
    _in_state(report, Report.State.DRAFT)
    _as_shown(report, annex)
    return _step(report, Step.Act.CHECKED, by=by, act="report.check", params={"annex": report.annex_sha256}, state="checked", checked_by=by)


@transaction.atomic
def give_back(report: Report, *, by: User, reason: str) -> Report:
    """A checked report becomes a draft again; nothing in it changes, it must be checked anew."""
    report = _locked(report)
    demand(by, "report.generate", report.case)
    if report.state == Report.State.DRAFT:
        return report
    _in_state(report, Report.State.CHECKED)
    reason = plain_reason(reason)
    params = {"reason": _digest(reason)}
    return _step(report, Step.Act.RETURNED, by=by, reason=reason, act="report.return", params=params, state="draft", checked_by=None)


@transaction.atomic
def send(report: Report, *, by: User, annex: str) -> Report:
    """The second person decides to sign what was checked; the signing itself is the worker's."""
    report = _locked(report)
    if report.signed_by_id == by.pk and report.state in (Report.State.SEALING, *IN_FORCE):
        return report
    _second_person(report, by=by, plainly=_("这份报告是您生成的，签发须由另一人进行。"))
    if report.signed_by is not None and report.state in (Report.State.SEALING, *IN_FORCE):
        raise Refused(_("%(name)s 已经决定签发这份报告。") % {"name": report.signed_by.get_full_name()})
    _in_state(report, Report.State.CHECKED)
    _as_shown(report, annex)
    old = report.supersedes
    if old is not None:
        # 撤销/更正 is one action of the table: whoever signs takes an issued report out of force.
        if not may(by, "report.revoke", report):
            raise Refused(_("更正或者补充报告使原报告失效，须由审判长签发，并且审判长本人不能是生成人。"))
        if Report.objects.select_for_update(of=("self",)).get(pk=old.pk).state not in IN_FORCE:
            raise Refused(_("原报告 %(number)s 已被取代或者撤销，不能再由这份报告取代。请将这份草稿作废，另行生成。") % {"number": old.number})
        if report.supersedes_rivals().exists():
            raise Refused(_("另一份报告正在取代原报告 %(number)s。请等它完成后再看。") % {"number": old.number})
    if outdated(report).exists():
        raise Refused(_("报告里有证据在此之后又有了新的核验结果，不能按旧结果签发。请将这份草稿作废，按最新结果重新生成。"))
    report = _step(
        report, Step.Act.SENT, by=by, act="report.send", params={"annex": report.annex_sha256}, state="sealing", signed_by=by, attempts=0
    )
    transaction.on_commit(partial(bell.ring, report.pk))
    return report


@transaction.atomic
def release(report: Report, *, by: User) -> Report:
    """Open a signed report to the parties whose side may know all that it speaks of."""
    report = _locked(report)
    demand(by, "report.release", report)
    if report.state == Report.State.RELEASED:
        return report
    _in_state(report, Report.State.SIGNED)
    return _step(report, Step.Act.RELEASED, by=by, act="report.release", state="released", released_at=timezone.now())


@transaction.atomic
def discard(report: Report, *, by: User) -> Report:
    """A draft that will not be signed; its number is not used again."""
    report = _locked(report)
    demand(by, "report.generate", report.case)
    if report.state == Report.State.DISCARDED:
        return report
    _in_state(report, Report.State.DRAFT, Report.State.FAILED)
    return _step(report, Step.Act.DISCARDED, by=by, act="report.discard", state="discarded")


@transaction.atomic
def retry(report: Report, *, by: User) -> Report:
    """Put a failed report back to the work that failed."""
    report = _locked(report)
    demand(by, "report.generate", report.case)
    if report.state != Report.State.FAILED:
        return report
    if report.stage == Report.State.SEALING:
        if report.supersedes_rivals().exists():
            raise Refused(_("原报告已经由另一份报告取代。请将这一份作废。"))
        if outdated(report).exists():
            raise Refused(_("报告里有证据在此之后又有了新的核验结果，不能按旧结果签发。请将这份草稿作废，按最新结果重新生成。"))
    report = _step(report, Step.Act.RETRIED, by=by, act="report.retry", state=report.stage, fault="", attempts=0)
    transaction.on_commit(partial(bell.ring, report.pk))
    return report


# ── revoking: two persons, one of them the presiding judge ────────────────────────────────────────────────────────────


def request_of(report: Report) -> Step | None:
    """The request to revoke that waits for a decision."""
    last = report.steps.filter(act__in=(Step.Act.REVOKE_ASKED, Step.Act.REVOKE_DROPPED)).select_related("by").order_by("-pk").first()
    return last if last and last.act == Step.Act.REVOKE_ASKED and report.state in IN_FORCE else None


def may_revoke(user: User, request: Step) -> bool:
    """The presiding judge on the request of somebody else; or another who may sign, on the presiding judge's request."""
    if may(user, "report.revoke", request):
        return True
    # Not by the right to release: that one may be delegated.
    asked_by_judge = request.by is not None and presides(request.by, request.report.case)
    return asked_by_judge and bool(may(user, "report.sign", request))


@transaction.atomic
def ask_to_revoke(report: Report, *, by: User, reason: str) -> Report:
    report = _locked(report)
    demand(by, "report.generate", report.case)
    _in_state(report, *IN_FORCE)
    pending = request_of(report)
    if pending is not None:
        if pending.by_id == by.pk:
            return report
        raise Refused(_("已经有人提请撤销这份报告，请先处理那一次提请。"))
    reason = plain_reason(reason)
    return _step(report, Step.Act.REVOKE_ASKED, by=by, reason=reason, act="report.ask_revoke", params={"reason": _digest(reason)})


@transaction.atomic
def drop_request(report: Report, *, by: User) -> Report:
    """Whoever asked takes it back, or whoever could grant it refuses it."""
    report = _locked(report)
    demand(by, "report.generate", report.case)
    pending = request_of(report)
    if pending is None:
        return report
    if pending.by_id != by.pk and not may_revoke(by, pending):
        raise Refused(_("只有提请人本人或者有权撤销的人可以结束这次提请。"))
    return _step(report, Step.Act.REVOKE_DROPPED, by=by, act="report.drop_revoke")


@transaction.atomic
def revoke(report: Report, *, by: User) -> Report:
    """The second of the two persons: the report is out of force from now on, its bytes are kept."""
    report = _locked(report)
    demand(by, "report.generate", report.case)
    if report.state == Report.State.REVOKED:
        return report
    _in_state(report, *IN_FORCE)
    pending = request_of(report)
    if pending is None:
        raise Refused(_("还没有人提请撤销这份报告。撤销须由一人提请、另一人决定，其中一人是审判长。"))
    if pending.by_id == by.pk:
        raise Refused(_("撤销是您提请的，须由另一人决定。"))
    if not may_revoke(by, pending):
        raise Refused(_("撤销须由审判长决定；审判长提请的，由另一位有签发权的人决定。"))
    return _step(report, Step.Act.REVOKED, by=by, reason=pending.reason, act="report.revoke", params={"reason": _digest(pending.reason)}, state="revoked")


# ── what the decisions look at ────────────────────────────────────────────────────────────────────────────────────────


def outdated(report: Report) -> QuerySet[Exhibit]:
    """Exhibits of the report that have a newer result than the one it speaks of."""
    newer = Run.objects.filter(exhibit=OuterRef("run__exhibit"), state=Run.State.DONE, number__gt=OuterRef("run__number"))
    stale = RunVerdict.objects.filter(Exists(newer), reports=report)
    return Exhibit.objects.filter(pk__in=stale.values("run__exhibit")).order_by("side", "number")


def _locked(report: Report) -> Report:
    rows = Report.objects.select_for_update(of=("self",)).select_related("case", "signed_by", "supersedes")
    return rows.get(pk=report.pk)


def _second_person(report: Report, *, by: User, plainly: str) -> None:
    if report.created_by_id == by.pk and may(by, "report.generate", report.case):
        raise Refused(plainly)
    demand(by, "report.sign", report)


def _in_state(report: Report, *states: str) -> None:
    if report.state not in states:
        raise Refused(_("报告现在是“%(state)s”，不能这样做。请看本页上的最新情况。") % {"state": report.get_state_display()})


def _as_shown(report: Report, annex: str) -> None:
    if annex != report.annex_sha256:
        raise Refused(_("您确认的内容摘要与这份报告的不同。请重新打开报告，核对摘要后再确认。"))


def plain_reason(text: str) -> str:
    """What was typed, on one line; Refused where it is empty or longer than a step holds: it is never cut."""
    text = " ".join(text.replace("\0", " ").split())
    if not text:
        raise Refused(_("请写明理由。"))
    if len(text) > REASON_MAX:
        raise Refused(_("理由太长，最多 %(most)s 字。") % {"most": REASON_MAX})
    return text


def _digest(reason: str) -> str:
    """The book of acts holds no free text."""
    return hashlib.sha256(reason.encode()).hexdigest()


def _step(
    report: Report, step: str, *, by: User, act: str, reason: str = "", params: dict[str, str] | None = None, **changes: object
) -> Report:
    """The step, the move and the act: all in the caller's transaction."""
    Step.objects.create(report=report, act=step, by=by, reason=reason)
    for name, value in changes.items():
        setattr(report, name, value)
    if changes:
        report.save(update_fields=list(changes))
    record(act, actor=by, case=report.case, params={"report": report.number, **(params or {})})
    return report
