"""Writing an act into the book, reading it back, and lawful erasure of its particulars.

The leaf, which is hashed into the tree and can never change, is canonical JSON without personal data:

    {"act", "actor", "at", "case", "params", "subject", "v"}

`actor`, `case` and `params` are HMAC-SHA256 under the entry's own random salt, or null. Salt and plain text are in the
entry's Detail; once that row is erased nobody can tell from the leaf who acted, in which case or on what.
`subject` is the plain SHA-256 of the bytes the act is about. `at` is the database's clock.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from django.db import connection, transaction

from .acts import ACTS
from .models import Detail, Entry
from .tree import leaf_hash

VERSION = 1
_DIGEST = re.compile(r"[0-9a-f]{64}")
_INTEGER_MAX = 2**53 - 1  # what every JSON reader keeps exactly


class LedgerError(Exception):
    """The book cannot take this: an unknown act, wrong particulars, no transaction."""


class Identified(Protocol):
    """A person, a case: anything with a public id."""

    @property
    def public_id(self) -> object: ...


def record(
    act: str,
    *,
    actor: Identified | None,
    case: Identified | None = None,
    subject_digest: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> Entry:
    """Write one act. Call it inside the transaction of the act: both happen or neither.

    act              a code of the register `acts.ACTS`
    actor            who did it; None is the portal itself
    subject_digest   SHA-256, lower-case hex, of the bytes the act is about
    params           exactly the particulars the register names: text, integers, booleans, None, lists and mappings of them
    """
    if not connection.in_atomic_block:
        raise LedgerError("an act is recorded in the transaction that does it")
    if act not in ACTS:
        raise LedgerError(f"{act} is not in the register of acts")
    particulars = dict(params or {})
    if set(particulars) != set(ACTS[act].params):
        raise LedgerError(f"{act} takes {ACTS[act].params}, not {tuple(sorted(particulars))}")
    if subject_digest is not None and not _DIGEST.fullmatch(subject_digest):
        raise LedgerError("a subject digest is 64 lower-case hexadecimal digits")
    detail = Detail(
        act=act,
        at=_now(),
        actor=str(actor.public_id) if actor else "",
        case=str(case.public_id) if case else "",
        subject=subject_digest or "",
        params=canonical(particulars).decode(),
        salt=secrets.token_bytes(32),
    )
    leaf = leaf_of(detail)
    return _insert(Entry(leaf=leaf, leaf_hash=leaf_hash(leaf)), detail)


def leaf_of(detail: Detail) -> bytes:
    """The leaf bytes that belong to a detail: what `record` writes and what fsck compares with."""
    salt = bytes(detail.salt)
    return canonical(
        {
            "v": VERSION,
            "act": detail.act,
            "at": detail.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "actor": _sealed(salt, "actor", detail.actor) if detail.actor else None,
            "case": _sealed(salt, "case", detail.case) if detail.case else None,
            "subject": detail.subject or None,
            "params": _sealed(salt, "params", detail.params),
        }
    )


def sentence(detail: Detail, *, language: str) -> str:
    """What happened, in one sentence of the register, in `language` ("zh…", else English)."""
    act = ACTS[detail.act]
    template = act.zh if language.startswith("zh") else act.en
    return template.format_map(json.loads(detail.params))


def erase(entry: Entry, *, actor: Identified, basis: str) -> None:
    """Remove the particulars of an entry for good, on a legal `basis` (a code or a file number), and record that.

    The leaf stays in the tree, so every proof and every signed head stays valid.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL mingjian.lawful_erasure = 'on'")
        Detail.objects.get(entry=entry).delete()
        cursor.execute("SET LOCAL mingjian.lawful_erasure = 'off'")
        record("ledger.erase", actor=actor, params={"entry": entry.pk, "basis": basis})


def canonical(value: object) -> bytes:
    """UTF-8 JSON with sorted names and no spaces. LedgerError for floats, other types and integers beyond 2^53."""
    _refuse_inexact(value)
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError as fault:
        raise LedgerError("text with a lone surrogate") from fault


def _refuse_inexact(value: object) -> None:
    if isinstance(value, Mapping):
        if not all(type(name) is str for name in value):
            raise LedgerError("names in particulars are text")
        for inner in value.values():
            _refuse_inexact(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_inexact(inner)
    elif isinstance(value, bool | str | None):
        return
    elif not isinstance(value, int) or abs(value) > _INTEGER_MAX:
        raise LedgerError(f"a {type(value).__name__} has no exact place in the book")


def _sealed(salt: bytes, name: str, value: str) -> str:
    return hmac.digest(salt, name.encode() + b"\x00" + value.encode(), "sha256").hex()


def _insert(entry: Entry, detail: Detail) -> Entry:
    """Both rows in one statement: more than twice as fast as one after the other (1,800 against 780 acts a second)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH entry AS (INSERT INTO ledger_entry (leaf, leaf_hash) VALUES (%s, %s) RETURNING id)"
            ' INSERT INTO ledger_detail (entry_id, act, at, actor, "case", subject, params, salt)'
            " SELECT id, %s, %s, %s, %s, %s, %s, %s FROM entry RETURNING entry_id",
            [bytes(entry.leaf), bytes(entry.leaf_hash)]
            + [detail.act, detail.at, detail.actor, detail.case, detail.subject, detail.params, bytes(detail.salt)],
        )
        entry.pk = cursor.fetchone()[0]
    for row in (entry, detail):
        row._state.adding, row._state.db = False, connection.alias
    detail.entry = entry
    return entry


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found = cursor.fetchone()[0]
    if not isinstance(found, datetime):
        raise LedgerError("the database has no clock")
    return found
