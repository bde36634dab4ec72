"""A book of acts for the tests: acts to write, the tree as RFC 6962 computes it, and a superuser who touches the rows."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, transaction

from portal.ledger.entries import record
from portal.ledger.models import Checkpoint, Detail, Entry, Head, Tile

committed = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Somebody:
    public_id: uuid.UUID = field(default_factory=uuid.uuid4)


def write(count: int = 1, *, first: int = 0) -> list[Entry]:
    with transaction.atomic():
        return [record("test.note", actor=None, params={"n": n}) for n in range(first, first + count)]


def leaves() -> list[bytes]:
    return [bytes(e.leaf) for e in Entry.objects.filter(leaf_index__isnull=False).order_by("leaf_index")]


def mth(hashes: list[bytes]) -> bytes:
    """RFC 6962 §2.1, as it is written there."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256().digest()
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def expected_root() -> bytes:
    return mth([hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves()])


def snapshot() -> list[object]:
    return [list(m.objects.order_by("pk").values_list()) for m in (Entry, Detail, Tile, Head, Checkpoint)]


class unguarded:  # noqa: N801  reads as a word in its `with`
    """A database superuser at work: the guards of a table are off."""

    def __init__(self, *tables: str) -> None:
        self.tables = tables

    def __enter__(self) -> Any:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        cursor = connection.cursor()
        for table in self.tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        return cursor

    def __exit__(self, *error: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in self.tables:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        self.atomic.__exit__(*error)
