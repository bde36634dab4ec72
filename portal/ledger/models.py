"""The book of acts as rows. Everything here is only ever added; the database itself refuses the rest (migration 0001).

    Entry        one act: the exact bytes that were hashed, their leaf hash and, once sequenced, their index
    Detail       what people read of it; the one row that lawful erasure may remove
    Tile         the tree's nodes, 256 to a row (C2SP tlog-tiles)
    Head         size and root of the tree: one row
    Checkpoint   heads that were signed, with the note that says so
"""

from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """Written in the transaction of the act itself, without index; the sequencer gives the index, once."""

    leaf = models.BinaryField()
    leaf_hash = models.BinaryField()
    leaf_index = models.BigIntegerField(null=True, unique=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(leaf_index__isnull=True), name="ledger_unsequenced")
        ]


class Detail(models.Model):
    """The readable side of an entry. Its salt is what ties names and particulars to the hashes in the leaf."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="detail")
    act = models.CharField(max_length=60)
    at = models.DateTimeField()
    actor = models.CharField(max_length=64, blank=True, db_index=True)
    """Public id of who acted; empty: the portal itself."""
    case = models.CharField(max_length=64, blank=True)
    """Public id of the case the act belongs to; empty: none."""
    subject = models.CharField(max_length=64, blank=True, db_index=True)
    """SHA-256 of the bytes the act is about, if it is about bytes."""
    params = models.TextField()
    """Canonical JSON of the particulars."""
    salt = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["case", "entry"], name="ledger_case")]


class Tile(models.Model):
    level = models.PositiveSmallIntegerField()
    number = models.BigIntegerField()
    hashes = models.BinaryField()
    """Up to 256 hashes of 32 bytes; grows at its end until it is full."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "number"], name="ledger_tile_place")]


class Head(models.Model):
    id = models.SmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField()
    root = models.BinaryField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="ledger_one_head")]


class Checkpoint(models.Model):
    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    """C2SP signed note over this head."""

    class Meta:
        ordering = ["size"]
