"""What one platform documents about its JSON, as a table: how its forms are known, and what its names mean.

A form is known by members that only its platform uses together. The table says what that platform documents and nothing
more: the unit of a number, the algorithm of a code, the encoding of a hash, which digest belongs to which transaction. What
is not documented stays open. Names are written as the platform writes them and compared as `spellings.normal` does.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from .spellings import Concept, normal

NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Record:
    """A further record on the chain: the member with its transaction, and those with the digests recorded there."""

    tx: str
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A member in which the platform says how a call or a check went. Values compare in lower case.

    good      the values that say it went well; any other is an answer against the record
    contains  the texts that say so, where sentences are documented instead of codes
    """

    name: str
    good: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()

    def favours(self, value: str) -> bool:
        return value.strip().casefold() in self.good or any(text in value for text in self.contains)


@dataclass(frozen=True, slots=True)
class Form:
    """
    kinds       what the object is -> names that are all there; none of `never` may be
    says        sentences of which one must stand in it, where the names alone are everybody's
    concepts    names that mean something else on this platform than elsewhere; None: nothing that a check uses
    if_hash     names that mean this only when their value is 32 bytes in hex
    units       name of a time -> `s`, `ms`, `ns`, or `digits` (10 are seconds, 13 milliseconds, as documented)
    algorithms  documented codes -> algorithm; `default` where the platform documents one for digests without a name
    base64      names whose value is base64 instead of hex
    envelopes   names of objects that hold members of the certificate; `lists` of lists with one record each,
                `files` of lists with one file each
    records     further records; `others`: digests of further files without a transaction of their own
    kept        names whose text a check of the platform's own needs as it stands
    cross_chain name -> the ledger on which the number in it is a record
    versions    name of the version -> those that this table describes
    """

    platform: str
    kinds: Mapping[str, tuple[str, ...]]
    never: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    concepts: Mapping[str, Concept | None] = field(default_factory=lambda: NONE)
    if_hash: Mapping[str, Concept] = field(default_factory=lambda: NONE)
    units: Mapping[str, str] = field(default_factory=lambda: NONE)
    algorithms: Mapping[str, str] = field(default_factory=lambda: NONE)
    default: str | None = None
    base64: tuple[str, ...] = ()
    envelopes: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    records: tuple[Record, ...] = ()
    others: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    cross_chain: Mapping[str, str] = field(default_factory=lambda: NONE)
    answers: tuple[Answer, ...] = ()
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NONE)

    def __post_init__(self) -> None:
        """Names in one spelling, so that a look-up is a look-up."""
        spelt = {
            "kinds": {kind: tuple(map(normal, names)) for kind, names in self.kinds.items()},
            "records": tuple(Record(normal(r.tx), tuple(map(normal, r.digests))) for r in self.records),
            "answers": tuple(Answer(normal(a.name), a.good, a.contains) for a in self.answers),
        }
        for name in ("never", "base64", "envelopes", "lists", "files", "others", "kept"):
            spelt[name] = tuple(map(normal, getattr(self, name)))
        for name in ("concepts", "if_hash", "units", "cross_chain", "versions"):
            spelt[name] = {normal(key): value for key, value in getattr(self, name).items()}
        for name in (f.name for f in fields(self)):
            if name in spelt:
                value = spelt[name]
                object.__setattr__(self, name, MappingProxyType(value) if isinstance(value, dict) else value)

    def kind(self, names: Collection[str], text: str) -> str | None:
        """What an object with these names (in one spelling) and values is, or None when this platform writes no such thing."""
        if any(name in names for name in self.never) or (self.says and not any(s in text for s in self.says)):
            return None
        return next((kind for kind, marks in self.kinds.items() if all(m in names for m in marks)), None)

    def answer(self, name: str) -> Answer | None:
        return next((a for a in self.answers if a.name == name), None)
