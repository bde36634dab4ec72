"""The verbs of a draft: one person works it out and proposes it, another looks at it and approves or rejects it.

Rights are asked here (`cases.access.offices`), so that no page and no command can forget to. The approver names the digest that was
on the screen: a draft that changed in the meantime has another one, and is not approved.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from cases.access.offices import may_in_office
from evidence.verification.trust import TrustError
from portal.ledger.entries import record
from portal.people.models import User
from portal.vault import Vault

from . import contents, packs, signing
from .contents import Contents, Origin
from .models import Draft, Pack, Revision

TITLE_MAX = 200
REASON_MAX = 500


class NotAllowed(Exception):
    """This person may not do this: answered like a page that does not exist."""


class DraftFault(ValueError):
    """It cannot be done as things stand; the message says why, in the reader's language."""


# ── working it out ────────────────────────────────────────────────────────────────────────────────────────────────────


def start(title: str, *, by: User) -> Draft:
    """A draft on the pack in force; before there is one, on the store of `PORTAL_TRUST_DIR`."""
    _demand(by, "trust.propose", None)
    base = packs.in_force()
    whole = packs.contents(base) if base else contents.of_directory(Path(settings.PORTAL_TRUST_DIR))
    with transaction.atomic():
        draft = Draft.objects.create(title=title.strip()[:TITLE_MAX], base=base, created_by=by)
        _keep(draft, whole, change=_("从现行信任库开始") if base else _("从安装时的信任库开始"))
    return draft


def change(
    draft: Draft, members: Mapping[str, bytes | None], *, what: str, source: str, by: User, seen: str | None = None
) -> Revision:
    """Put members into the draft (None: take out). `source` says where they come from; the manifest keeps it. `seen`: the digest of
    the revision that they were worked out from, so that a change made meanwhile in another window is not written over."""
    now = _now()
    with _working(draft, by=by) as held:
        last = whole(held)
        if seen not in (None, last.sha256):
            raise DraftFault(_("草案刚在另一个窗口里改过，请再看一遍再存。"))
        kept, origins = dict(last.members), dict(last.origins)
        for path, data in members.items():
            kept.pop(path, None)
            origins.pop(path, None)
            if data is not None:
                kept[path] = data
                origins[path] = Origin(source, now.date().isoformat())
        return _keep(held, _made(held, last, kept, origins, now), change=what)


def replace(draft: Draft, pack: Contents, *, what: str, by: User) -> Revision:
    """Take a whole pack into the draft in place of what it holds. A pack that was published before becomes a new version."""
    now = _now()
    with _working(draft, by=by) as held:
        if Pack.objects.filter(sha256=pack.sha256).exists():
            pack = _made(held, pack, pack.members, pack.origins, now)
        return _keep(held, pack, change=what)


def bring_up_to_date(draft: Draft, *, by: User) -> Revision:
    """Do the draft's changes once more, on the pack now in force. A member that was changed on both sides is for people to sort out."""
    now = _now()
    with _working(draft, by=by) as held:
        newest = packs.in_force()
        if newest is None or newest == held.base:
            raise DraftFault(_("草案已经基于现行信任库。"))
        before = packs.contents(held.base).members if held.base else {}
        mine, theirs = whole(held), packs.contents(newest)
        kept, origins = dict(theirs.members), dict(theirs.origins)
        for path in sorted(before.keys() | mine.members.keys()):
            if mine.members.get(path) == before.get(path):
                continue
            if theirs.members.get(path) not in (before.get(path), mine.members.get(path)):
                raise DraftFault(_("%(path)s 在草案和现行信任库中都被改动，请重新拟定。") % {"path": path})
            kept.pop(path, None)
            if path in mine.members:
                kept[path], origins[path] = mine.members[path], mine.origins[path]
        held.base = newest
        held.save(update_fields=["base"])
        draft.base = newest
        return _keep(held, _made(held, theirs, kept, origins, now), change=_("移到第 %(n)d 版之上") % {"n": newest.number})


def whole(draft: Draft) -> Contents:
    """The draft as it stands."""
    return packs.of_manifest(bytes(latest(draft).manifest))


def latest(draft: Draft) -> Revision:
    return draft.revisions.order_by("-number")[0]


# ── deciding ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def propose(draft: Draft, *, by: User) -> None:
    with _working(draft, by=by) as held:
        last = latest(held)
        if held.base is not None and last.sha256 == held.base.sha256:
            raise DraftFault(_("草案与现行信任库没有差别。"))
        if held.base != packs.in_force():
            raise DraftFault(_("现行信任库已经更新，请先把草案移到新的一版之上。"))
        if Pack.objects.filter(sha256=last.sha256).exists():
            raise DraftFault(_("这一版以前发布过。"))
        held.state = Draft.State.PROPOSED
        held.save(update_fields=["state"])
        base = held.base.sha256 if held.base else None
        record(
            "trust.propose",
            actor=by,
            subject_digest=last.sha256,
            params={"draft": str(held.public_id), "digest": last.sha256, "base": base},
        )


def take_back(draft: Draft, *, by: User) -> None:
    """The proposer wants to change it after all."""
    with transaction.atomic():
        held = _held(draft, Draft.State.PROPOSED)
        _demand_own(by, held)
        held.state = Draft.State.EDITING
        held.save(update_fields=["state"])
        digest = latest(held).sha256
        record("trust.retract", actor=by, subject_digest=digest, params={"draft": str(held.public_id), "digest": digest})


def withdraw(draft: Draft, *, by: User) -> None:
    """The proposer gives it up."""
    with _working(draft, by=by) as held:
        held.state = Draft.State.WITHDRAWN
        held.save(update_fields=["state"])


def reject(draft: Draft, *, digest: str, reason: str, by: User) -> None:
    reason = reason.replace("\0", "").strip()[:REASON_MAX]
    if not reason:
        raise DraftFault(_("请写明驳回的理由。"))
    with transaction.atomic():
        held = _seen(draft, digest, by=by)
        Draft.objects.filter(pk=held.pk).update(
            state=Draft.State.REJECTED, decided_by=by, decided_at=Now(), reason=reason
        )
        record("trust.reject", actor=by, subject_digest=digest, params={"draft": str(held.public_id), "digest": digest})


def approve(draft: Draft, *, digest: str, by: User, door: str = "portal") -> Pack:
    """Publish what this person saw: the draft's last revision, if `digest` is its digest and it stands on the pack in force.

    door   where the approval was given, for the ledger: `portal`, or `console` for the first pack of a new installation
    """
    with transaction.atomic():
        # 1. One publication at a time, so that "the pack in force" cannot change between looking and writing.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('trust.publish'))")
        held = _seen(draft, digest, by=by)
        previous = packs.in_force()
        if held.base != previous:
            raise DraftFault(_("草案拟定之后信任库已经更新，请拟定人把草案移到新的一版之上，再行批准。"))
        # 2. The whole of it is read once more, out of the vault: what cannot be loaded is not published.
        last = latest(held)
        store = _readable(whole(held))
        # 3. Decision, pack and act together.
        Draft.objects.filter(pk=held.pk).update(state=Draft.State.PUBLISHED, decided_by=by, decided_at=Now())
        pack = Pack.objects.create(
            number=previous.number + 1 if previous else 1,
            sha256=last.sha256,
            version=store.version,
            manifest=bytes(last.manifest),
            signature=signing.sign(last.sha256),
            previous=previous,
            draft=held,
            proposed_by=held.created_by,
            approved_by=by,
        )
        record(
            "trust.publish",
            actor=by,
            subject_digest=pack.sha256,
            params={
                "draft": str(held.public_id),
                "number": pack.number,
                "digest": pack.sha256,
                "previous": previous.sha256 if previous else None,
                "proposer": str(held.created_by.public_id),
                "approver": str(by.public_id),
                "door": door,
            },
        )
        # It is published by now: a disk that is full is said in the log, and the folder is written at the first use.
        transaction.on_commit(lambda: _put_out(pack), robust=True)
    draft.refresh_from_db()
    pack.refresh_from_db()
    return pack


def first(pack: Contents, *, proposer: User, approver: User) -> Pack:
    """The first pack of an installation, at the console: the same steps by the same two people, all or nothing."""
    with transaction.atomic():
        if packs.in_force() is not None:
            raise DraftFault(_("已经有现行信任库。"))
        _demand(proposer, "trust.propose", None)
        draft = Draft.objects.create(title=_("安装时的信任库"), created_by=proposer)
        _keep(draft, pack, change=_("从安装时的信任库开始"))
        propose(draft, by=proposer)
        return approve(draft, digest=pack.sha256, by=approver, door="console")


def _put_out(pack: Pack) -> None:
    packs.directory(pack)
    packs.point(pack)


# ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _working(draft: Draft, *, by: User) -> Iterator[Draft]:
    """The draft locked, being edited, and in the hands of its maker."""
    with transaction.atomic():
        held = _held(draft, Draft.State.EDITING)
        _demand_own(by, held)
        yield held


def _held(draft: Draft, state: str) -> Draft:
    held = Draft.objects.select_for_update(of=("self",)).select_related("created_by", "base").get(pk=draft.pk)
    if held.state != state:
        raise DraftFault(_("草案现在是“%(state)s”，不能这样做。") % {"state": held.get_state_display()})
    return held


def _demand_own(by: User, held: Draft) -> None:
    if held.created_by_id != by.pk:
        raise NotAllowed
    _demand(by, "trust.propose", None)


def _seen(draft: Draft, digest: str, *, by: User) -> Draft:
    """The draft locked, proposed, made by somebody else, and still the one this person looked at."""
    held = Draft.objects.select_for_update(of=("self",)).select_related("created_by", "base").get(pk=draft.pk)
    _demand(by, "policy.trust", held)
    held = _held(draft, Draft.State.PROPOSED)
    if latest(held).sha256 != digest:
        raise DraftFault(_("您查看之后草案又有改动，请重新查看，再作决定。"))
    return held


def _demand(by: User, action: str, thing: Draft | None) -> None:
    if not may_in_office(by, action, thing):
        raise NotAllowed


def _made(
    draft: Draft, before: Contents, members: Mapping[str, bytes], origins: Mapping[str, Origin], now: datetime
) -> Contents:
    number = draft.base.number + 1 if draft.base else 1
    court = settings.PORTAL_COURT_NAME
    head = {
        "version": f"{now:%Y.%m.%d}-{number}",
        "issued_at": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "court": dict(court) if all(court.values()) else dict(before.head["court"]),
        "demonstration": settings.PORTAL_DEMO or before.head["demonstration"],
    }
    try:
        return contents.made(head, members, origins)
    except TrustError as fault:
        raise DraftFault(str(fault)) from fault


def _readable(pack: Contents) -> Any:
    try:
        return pack.store()
    except TrustError as fault:
        raise DraftFault(str(fault)) from fault


def _keep(draft: Draft, pack: Contents, *, change: str) -> Revision:
    vault = Vault(settings.PORTAL_VAULT_DIR)
    for data in set(pack.members.values()):
        vault.put_bytes(data)
    last = draft.revisions.order_by("-number").first()
    if last is not None and last.sha256 == pack.sha256:
        return last
    return Revision.objects.create(
        draft=draft, number=last.number + 1 if last else 1, manifest=pack.manifest, sha256=pack.sha256, change=change[:300]
    )


def _now() -> datetime:
    """The database's clock, like every other time of the record."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found.astimezone(UTC)
