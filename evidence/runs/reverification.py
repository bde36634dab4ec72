"""Results that a later trust store may change: which they are, why, and verifying them again beside the old ones.

A result is *touched* by the pack in force when it was reached under another one and what differs between the two is something it
may rest on. That is read from its verdict:

    the formats of its files    `RESTS`: a time-stamp rests on time-stamping roots, a chain proof on the chains of its family, …;
                                a format that is not in the table may rest on anything
    the chains it names         where every proof found its chain (INCL.LEDGER_KIND passed and names the profile), another chain's
                                change is none of its concern; where one did not, any change of the family may cure it
    what it left open           where nothing is open that an anchor could close, a root that was only *added* changes nothing

In doubt a result counts as touched: verifying once too often costs a minute, once too seldom leaves a wrong paper in the file.
Nothing old is edited: a new run is queued behind all other work (lane REVERIFY), and its result stands beside the old one.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from cases.access import cases_where, visible_to
from evidence.exhibits.models import Exhibit
from evidence.trust import packs
from evidence.trust.difference import Difference, How, difference
from evidence.trust.models import Pack
from evidence.verification import anchor_pack
from evidence.verification.reasons import Reason
from evidence.verification.trust import TrustError
from portal.ledger.entries import record
from portal.people.models import User

from . import queue
from .models import Lane, Run, RunVerdict

log = logging.getLogger(__name__)

SHOWN_MAX = 100
"""Exhibits offered at once. What is queued leaves the list, and the next ones come up."""
EXAMINED_MAX = 5000
"""Results looked into for one page, newest first: each is a few KB of JSON, together about two seconds."""

LOOKED_MAX, REMEMBERED_MAX = 50, 50_000

RESTS: Mapping[str, tuple[str, ...]] = {
    # format of a file -> beginnings of `Entry.anchor`
    "unknown": (),
    "ofd": (),
    "x509": (),
    "forensic-package": ("root:tsa", "policy:tsa_policies"),
    "mhtml": (),
    "singlefile": (),
    "har": (),
    "warc": ("policy:accept_writer_defects",),
    "wacz": ("root:web", "root:tsa", "policy:accept_writer_defects", "policy:tsa_policies"),
    "rfc3161": ("root:tsa", "policy:tsa_policies"),
    **{family: (f"chain:{family}:", "policy:accept_d") for family in anchor_pack.FAMILIES},
}
NEVER_CURED = frozenset(
    {
        *(Reason.FORMAT_FAILURE, Reason.HASH_FAILURE, Reason.SIGNED_DATA_NOT_FOUND, Reason.PROOF_NOT_SUPPLIED),
        *(Reason.UNSUPPORTED_FORMAT, Reason.RESOURCE_LIMIT, Reason.RESOURCE_MISSING, Reason.TIME_ZONE_AMBIGUOUS),
    }
)
"""Reasons that no anchor removes."""


NAMES = ("title.", "node_name")
"""Facts that people read and no check looks at."""


@dataclass(frozen=True)
class Touched:
    """A result that the pack in force may change, and the differences it turns on."""

    verdict: RunVerdict
    differences: Sequence[Difference]
    unknown: bool = False
    """The pack it was reached under is not among the published ones: nothing can be compared, everything may have changed."""


def touched(user: User) -> list[Touched]:
    """Of the exhibits on which this person may start a verification: latest results that the pack in force may change, newest first,
    SHOWN_MAX at most."""
    pack = packs.in_force()
    if pack is None:
        return []
    found: list[Touched] = []
    rows = candidates(user, pack).select_related("run__exhibit__case").order_by("-pk")[:EXAMINED_MAX]
    for verdict in rows.iterator(chunk_size=200):
        one = _examined(verdict, pack)
        if one is not None:
            found.append(one)
        if len(found) == SHOWN_MAX:
            break
    return found


def candidates(user: User, pack: Pack) -> QuerySet[RunVerdict]:
    """The newest result of each exhibit that this person may verify again, reached under another pack, with nothing under way."""
    done = Run.objects.filter(exhibit=OuterRef("run__exhibit"), state=Run.State.DONE).order_by("-number")
    waiting = Run.objects.filter(exhibit=OuterRef("run__exhibit"), state__in=[Run.State.QUEUED, Run.State.RUNNING])
    rows = RunVerdict.objects.filter(~Q(trust_sha256=pack.sha256), ~Exists(waiting), run=Subquery(done.values("pk")[:1]))
    return visible_to(user, rows.filter(run__exhibit__case__in=cases_where(user, "verify.run")))


def again(user: User, exhibits: Iterable[str]) -> int:
    """Queue new runs of those among `exhibits` (public ids) that are touched and that this person may verify. -> how many"""
    wanted = set(exhibits)
    pack = packs.in_force()
    count = 0
    with transaction.atomic():
        for one in touched(user):
            exhibit = one.verdict.run.exhibit
            if str(exhibit.public_id) not in wanted:
                continue
            Exhibit.objects.select_for_update().get(pk=exhibit.pk)
            if Run.objects.filter(exhibit=exhibit, state__in=[Run.State.QUEUED, Run.State.RUNNING]).exists():
                continue  # pressed twice
            queue.request(exhibit, by=user, lane=Lane.REVERIFY)
            count += 1
        if count and pack is not None:
            record("trust.reverify", actor=user, subject_digest=pack.sha256, params={"trust": pack.sha256, "count": count})
    return count


def offered(user: User) -> bool:
    """Is there something to verify again? For the first page: looks into LOOKED_MAX new results at most, and remembers what it found."""
    pack = packs.in_force()
    if pack is None:
        return False
    looked = 0
    for pk, sha256 in candidates(user, pack).order_by("-pk").values_list("pk", "sha256")[:EXAMINED_MAX]:
        known = _remembered.get((sha256, pack.sha256))
        if known is None:
            if looked == LOOKED_MAX:
                return False
            looked += 1
            known = _examined(RunVerdict.objects.get(pk=pk), pack) is not None
            if len(_remembered) >= REMEMBERED_MAX:
                _remembered.clear()
            _remembered[sha256, pack.sha256] = known
        if known:
            return True
    return False


_remembered: dict[tuple[str, str], bool] = {}
"""(digest of a verdict, digest of the pack in force) -> touched. Neither ever changes."""


def _examined(verdict: RunVerdict, pack: Pack) -> Touched | None:
    try:
        differences = _between(verdict.trust_sha256, pack.sha256)
    except TrustError as fault:  # a member is missing from the vault; said to be unknown rather than nothing
        log.error("trust: packs cannot be compared: %s", fault)
        differences = None
    if differences is None:
        return Touched(verdict, (), unknown=True)
    said: Mapping[str, Any] = json.loads(bytes(verdict.document))
    turning = tuple(d for d in differences if rests_on(said, d))
    return Touched(verdict, turning) if turning else None


def rests_on(said: Mapping[str, Any], found: Difference) -> bool:
    """May the verdict `said` become another one through this difference?"""
    anchors = {found.entry.anchor, *_former(found)}
    if found.entry.kind == "court":
        return any(f.field == "demonstration" for f in found.facts)
    if found.how == How.CHANGED and all(f.field.startswith(NAMES) for f in found.facts):
        return False
    formats = {s["format"] for s in said["sources"]}
    resting = {f for f in formats if f not in RESTS or any(a.startswith(RESTS[f]) for a in anchors)}
    if not resting:
        return False
    if found.entry.kind == "root" and found.how == How.ADDED:
        return any(f["outcome"] != "PASSED" and f["reason"] not in NEVER_CURED for f in said["findings"])
    if found.entry.anchor.startswith("chain:") and resting <= RESTS.keys():
        return _of_its_chains(said, {a.rpartition(":")[2] for a in anchors})
    return True


def _of_its_chains(said: Mapping[str, Any], profiles: set[str]) -> bool:
    kinds = [f for f in said["findings"] if f["check"] == "INCL.LEDGER_KIND"]
    if not kinds or any(f["outcome"] != "PASSED" or not f["expected"] for f in kinds):
        return True
    return not profiles.isdisjoint(f["expected"] for f in kinds)


def _former(found: Difference) -> set[str]:
    """What rests on a chain whose id or family was changed: results name it as it was."""
    kind, _, _ = found.entry.anchor.partition(":")
    before = {f.field: f.before for f in found.facts if f.before is not None}
    if kind != "chain" or found.entry.kind != "chain" or not before.keys() & {"id", "family"}:
        return set()
    _, family, profile = found.entry.anchor.split(":", 2)
    return {f"chain:{before.get('family', family)}:{before.get('id', profile)}"}


@lru_cache(maxsize=64)
def _between(old: str, new: str) -> tuple[Difference, ...] | None:
    """What differs between two published packs, which never change. None: the old one was never published."""
    held = {p.sha256: p for p in Pack.objects.filter(sha256__in=[old, new])}
    if old not in held:
        return None
    return tuple(difference(packs.contents(held[old]), packs.contents(held[new])))

