"""The custody of the exhibits of a report, from the court's own ledger of acts (court-domain §11.1 no. 11).

Each event carries the leaf hash of its entry (RFC 6962), so that it can be proved against any signed head of the ledger, and the number
under which the entry was written. The rows of one report are chained besides: each holds the hash of the row before it, so that whoever
has the annex alone sees whether a row of it was changed, added, taken out or moved (`hash_of`). The chain is the extract's own: that the
extract holds every act on an exhibit is shown by the ledger only, since most of what lies between its rows belongs to other cases.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from cases.models import Case, Membership
from evidence.exhibits.models import Exhibit
from portal.ledger.entries import sentence
from portal.ledger.models import Detail
from portal.people.models import User

from .document import label
from .wording import ROLES, VERDICTS, Words

START = "0" * 64
"""`prev` of the first row."""
GAP = Words(
    "“序号”是该操作写入法院留痕日志时的编号。全院各案共用一本日志，本表只摘录与所列证据和本报告有关的操作：序号不相连，是因为其间写入的是其他案件、其他证据的操作，"
    "或者有的编号因操作没有完成而未使用，不表示本表缺行。本表有无改动，按每行的 prev 和 hash 核对；摘录是否齐全，须对照留痕日志本身。",
    "The number is the one under which the act was written in the court's ledger. All cases of the court share one ledger, and only acts on"
    " the exhibits listed and on this report are extracted here: numbers that do not follow each other mean acts of other cases or on other"
    " exhibits, or a number left unused by an act that was not completed. They do not mean that a row is missing. Whether these rows were"
    " altered is checked by prev and hash of each; whether the extract is complete, against the ledger itself.",
)
EVENTS_MAX = 500
"""Events carried by one report, the latest ones; an exhibit that was looked at more often says so by its number."""


@dataclass(frozen=True, slots=True)
class Event:
    """`actor_role` is the role in this case, never the name; `exhibit` the public id, empty for acts on the report.

    seq    number of the entry in the court's ledger; rises from row to row, with gaps (`GAP`)
    prev   `hash` of the row before, START for the first
    """

    seq: int
    at: datetime
    act: str
    words: Words
    actor_role: str
    exhibit: str
    item: str | None
    """Label of the exhibit in the report, in Chinese; None where the report does not hold it, or for acts on the report."""
    leaf_hash: str
    prev: str
    hash: str

    @property
    def role(self) -> Words:
        return ROLES[self.actor_role]


def events(
    case: Case, exhibits: Iterable[Exhibit], *, report: str, until: datetime, within: frozenset[str] | None = None
) -> tuple[Event, ...]:
    """What happened to `exhibits` and to the report numbered `report`, in order, up to `until`.

    within   leaf hashes (hex): only these, where the list was settled before
    """
    labels = {str(e.public_id): label(e).zh for e in exhibits}
    found = _about(case, labels, report).filter(at__lte=until)
    if within is not None:
        found = found.filter(entry__leaf_hash__in=[bytes.fromhex(leaf) for leaf in within])
    details = list(found.select_related("entry").order_by("-entry_id")[:EVENTS_MAX])
    roles = _roles(case, {d.actor for d in details if d.actor})
    chained: list[Event] = []
    for detail in reversed(details):
        particulars = json.loads(detail.params)
        exhibit = str(particulars.get("exhibit", ""))
        row: dict[str, Any] = {
            "seq": detail.entry_id,
            "at": detail.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "act": detail.act,
            "actor_role": roles.get(detail.actor, "") if detail.actor else "system",
            "item": labels.get(exhibit),
            "leaf_hash": bytes(detail.entry.leaf_hash).hex(),
            "prev": chained[-1].hash if chained else START,
        }
        zh = sentence(detail, language="zh")
        if (overall := particulars.get("overall")) in VERDICTS:
            zh = zh.replace(overall, VERDICTS[overall].zh)
        words = Words(zh, sentence(detail, language="en"))
        chained.append(Event(**{**row, "at": detail.at}, words=words, exhibit=exhibit, hash=hash_of(row)))
    return tuple(chained)


def earlier(case: Case, exhibits: Iterable[Exhibit], *, report: str, acts: tuple[Event, ...]) -> int:
    """How many acts are older than `acts`, where these are as many as one report carries."""
    if len(acts) < EVENTS_MAX:
        return 0
    return _about(case, [str(e.public_id) for e in exhibits], report).filter(entry_id__lt=acts[0].seq).count()


def _about(case: Case, exhibits: Iterable[str], report: str) -> QuerySet[Detail]:
    about = Q(params__contains=f'"report":"{report}"')
    for one in exhibits:
        about |= Q(params__contains=f'"exhibit":"{one}"')
    return Detail.objects.filter(about, case=str(case.public_id))


def rows(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The events as the annex carries them."""
    return [
        {
            "seq": e.seq,
            "at": e.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "act": e.act,
            "actor_role": e.actor_role,
            "item": e.item,
            "leaf_hash": e.leaf_hash,
            "prev": e.prev,
            "hash": e.hash,
        }
        for e in events
    ]


def hash_of(row: Mapping[str, Any]) -> str:
    """SHA-256 of the row without its `hash`: JSON with sorted keys, UTF-8, no spaces, as the annex itself is written."""
    bare = {name: value for name, value in row.items() if name != "hash"}
    return hashlib.sha256(json.dumps(bare, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()).hexdigest()


def _roles(case: Case, actors: set[str]) -> dict[str, str]:
    """Public id of a person -> the role in the case; the earliest one where there were several."""
    people = {u.pk: str(u.public_id) for u in User.objects.filter(public_id__in=actors)}
    found: dict[str, str] = {}
    for membership in Membership.objects.filter(case=case, user_id__in=people).order_by("pk"):
        found.setdefault(people[membership.user_id], membership.role)
    return found
