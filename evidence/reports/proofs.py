"""Annexes B and C: every file that proves or certifies something, with its digests, and the certificates and anchors that walks rest on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import bundle
from .document import FILE_ROLES, Item
from .printable import NAME_MAX, clean
from .standing import NODE
from .wording import SYMBOLS, Words, statement

if TYPE_CHECKING:
    from evidence.runs.models import RunVerdict

RESTS_ON = frozenset({"CERTIFICATE", "SIGNATURE", "VALIDATORS", "ANCHOR"})
ROWS_MAX = 150
"""Rows printed of each annex; the verdicts in result.json hold all."""


@dataclass(frozen=True, slots=True)
class Proof:
    item: Words
    name: str
    format: str
    role: str
    size: int
    sha256: str
    sm3: str


@dataclass(frozen=True, slots=True)
class Anchor:
    item: Words
    kind: Words
    label: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Member:
    store: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Reverify:
    """`bundle_sha256`: of the contents of the re-verification bundle; None where none can be made, for want of the trust store `lost_store`."""

    bundle_sha256: str | None
    lost_store: str
    """Its SHA-256. Why it cannot be read is told by the portal's own messages: paths and settings are nothing for the record."""
    members: tuple[Member, ...]
    """What the trust stores hold."""


def manifest(items: Sequence[Item]) -> tuple[tuple[Proof, ...], int]:
    """Annex B: (sources that are not evidence themselves, how many more)."""
    found = [
        Proof(item.label, clean(s["name"], NAME_MAX), s["format"], FILE_ROLES.get(s["format"], "CONTENT"), s["size"], s["sha256"], s["sm3"])
        for item in items
        for s in item.document["sources"]
        if FILE_ROLES.get(s["format"], "CONTENT") != "CONTENT" or s["name"].startswith(NODE)
    ]
    return tuple(found[:ROWS_MAX]), max(0, len(found) - ROWS_MAX)


def anchors(items: Sequence[Item]) -> tuple[tuple[Anchor, ...], int]:
    """Annex C: (what walks rest on, with the outcome of the step that leads there; how many more)."""
    found = dict.fromkeys(
        Anchor(item.label, statement(f"NODE.{s['to']['kind']}"), clean(s["to"]["label"], NAME_MAX), SYMBOLS[s["outcome"]])
        for item in items
        for walk in item.document["walk"]
        for s in walk["steps"]
        if s["to"]["kind"] in RESTS_ON
    )
    return tuple(found)[:ROWS_MAX], max(0, len(found) - ROWS_MAX)


def reverify(number: str, labelled: Sequence[tuple[str, "RunVerdict"]]) -> Reverify:
    """The digest of the bundle that repeats this report, and what its trust stores hold."""
    try:
        plan = bundle.plan(number, labelled)
    except bundle.StoreLost as fault:
        # A report on a verdict whose trust store is lost is still what the court found; it says that it cannot be repeated so.
        return Reverify(None, fault.store, ())
    stores = dict.fromkeys(verdict.trust_sha256 for _, verdict in labelled)
    members = [
        Member(store, clean(str(m["path"]), NAME_MAX), str(m["sha256"]))
        for store in stores
        for m in _manifest(plan.fixed[store])["members"]
    ]
    return Reverify(plan.sha256, "", tuple(members))


def _manifest(data: bytes) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(data)
    return found
