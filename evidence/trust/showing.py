"""Packs and differences as the templates want them: words chosen, values readable, marks for links."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from . import words
from .checks import is_stale
from .contents import Contents
from .difference import Difference, How, difference
from .entries import Entry, entries

TEXT_MAX = 200_000
"""Bytes of a member that a page offers as text."""
LONG = 34
"""Characters from which a value is a digest or key, set in the fixed face and broken anywhere."""

called = words.called


@dataclass(frozen=True)
class Said:
    label: str
    value: str
    before: str = ""
    """What it was; "" where only one side is shown."""
    both: bool = False

    @property
    def long(self) -> bool:
        return max((len(w) for w in self.value.split()), default=0) > LONG


@dataclass(frozen=True)
class Thing:
    name: str
    short: str
    """The name alone, for a list whose heading says the rest."""
    mark: str
    kind: str
    facts: tuple[Said, ...]
    stale: bool = False
    """A platform that nobody looked at for long."""
    expired: bool = False
    how: str = ""
    word: str = ""
    policy: str = ""
    """Of a policy, what it is about."""


@dataclass
class Chain:
    """A chain with what belongs to it."""

    thing: Thing
    folder: str
    epochs: list[Thing] = field(default_factory=list)
    validators: list[Thing] = field(default_factory=list)
    org_roots: list[Thing] = field(default_factory=list)
    checkpoints: list[Thing] = field(default_factory=list)


@dataclass
class Store:
    """A whole pack for a page."""

    sha256: str
    version: str
    issued_at: str
    court: str
    demonstration: bool
    chains: list[Chain] = field(default_factory=list)
    roots: dict[str, list[Thing]] = field(default_factory=dict)
    platforms: list[Thing] = field(default_factory=list)
    policies: list[Thing] = field(default_factory=list)
    others: list[Thing] = field(default_factory=list)
    stale: bool = False


def mark(entry: Entry) -> str:
    """What stands in an address for an entry: short, and the same as long as the thing is the same."""
    return hashlib.sha256("\x00".join(entry.key).encode()).hexdigest()[:20]


def thing(entry: Entry, *, today: date | None = None) -> Thing:
    facts = dict(entry.facts)
    today = today or datetime.now(UTC).date()
    until = facts.get("valid", "").rpartition(" – ")[2]
    return Thing(
        name=words.called(entry),
        short=words.called(entry, alone=entry.kind in ("object", "file", "crl")),
        mark=mark(entry),
        kind=entry.kind,
        facts=tuple(Said(words.field(f), words.value(f, v)) for f, v in entry.facts),
        stale=entry.kind == "platform" and is_stale(None if facts.get("checked_on") == "—" else facts.get("checked_on"), today=today),
        expired=bool(until) and until < today.isoformat(),
        policy=words.policy(entry.name) if entry.kind == "policy" else "",
    )


def store(pack: Contents, *, today: date) -> Store:
    court = pack.head["court"]
    language = "en" if words.in_english() else "zh"
    shown = Store(
        sha256=pack.sha256,
        version=str(pack.head["version"]),
        issued_at=str(pack.head["issued_at"]),
        court=str(court.get(language) or next(iter(court.values()), "")),
        demonstration=bool(pack.head["demonstration"]),
    )
    chains: dict[str, Chain] = {}
    for entry in entries(pack).values():
        made = thing(entry, today=today)
        if entry.kind == "chain":
            chains[entry.key[1]] = Chain(made, entry.key[1])
        elif entry.kind in ("epoch", "validator", "org_root", "checkpoint"):
            {
                "epoch": chains[entry.key[1]].epochs,
                "validator": chains[entry.key[1]].validators,
                "org_root": chains[entry.key[1]].org_roots,
                "checkpoint": chains[entry.key[1]].checkpoints,
            }[entry.kind].append(made)
        elif entry.kind in ("root", "crl"):
            shown.roots.setdefault(str(words.FOLDERS.get(entry.within, entry.within)), []).append(made)
        elif entry.kind == "platform":
            shown.platforms.append(made)
            shown.stale |= made.stale
        elif entry.kind == "policy":
            shown.policies.append(made)
        elif entry.kind != "court":
            shown.others.append(made)
    shown.chains = list(chains.values())
    return shown


@dataclass(frozen=True)
class Member:
    """A file of the pack. `how` is "" where nothing is compared."""

    path: str
    sha256: str
    size: int
    source: str
    fetched_at: str
    how: str = ""
    word: str = ""
    editable: bool = False


@dataclass(frozen=True)
class Changes:
    things: Sequence[Thing]
    members: Sequence[Member]
    """Every file that is not byte for byte the same, so that nothing goes by unseen."""

    def count(self, how: How) -> int:
        return sum(t.how == how for t in self.things)

    @property
    def added(self) -> int:
        return self.count(How.ADDED)

    @property
    def removed(self) -> int:
        return self.count(How.REMOVED)

    @property
    def changed(self) -> int:
        return self.count(How.CHANGED)


def changes(before: Contents | None, after: Contents) -> Changes:
    return Changes([_changed(d) for d in difference(before, after)], _members_changed(before, after))


def _changed(found: Difference) -> Thing:
    plain = thing(found.entry)
    facts = tuple(
        Said(words.field(f.field), words.value(f.field, f.after), words.value(f.field, f.before) or "—", both=True)
        if found.how == How.CHANGED
        else Said(words.field(f.field), words.value(f.field, f.after if f.after is not None else f.before))
        for f in found.facts
    )
    return Thing(
        plain.name, plain.short, plain.mark, plain.kind, facts, plain.stale, plain.expired, found.how, str(words.HOW[found.how])
    )


def members(pack: Contents) -> list[Member]:
    return [_member(pack, path) for path in sorted(pack.members)]


def _members_changed(before: Contents | None, after: Contents) -> list[Member]:
    found = []
    held = before.members if before else {}
    for path in sorted({*held, *after.members}):
        if path not in after.members and before is not None:
            found.append(_member(before, path, How.REMOVED))
        elif path not in held:
            found.append(_member(after, path, How.ADDED))
        elif held[path] != after.members[path] or (before and before.origins[path] != after.origins[path]):
            found.append(_member(after, path, How.CHANGED))
    return found


def _member(pack: Contents, path: str, how: How | None = None) -> Member:
    data, origin = pack.members[path], pack.origins[path]
    return Member(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        source=origin.source,
        fetched_at=origin.fetched_at,
        how=how or "",
        word=str(words.HOW[how]) if how else "",
        editable=len(data) <= TEXT_MAX and _is_text(data),
    )


def _is_text(data: bytes) -> bool:
    try:
        return "\x00" not in data.decode("utf-8")
    except UnicodeDecodeError:
        return False

