"""The book of acts afterwards: lawful erasure, tampering that shows, histories that are not signed, notes by the letter."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import IntegrityError, transaction

from portal.ledger import checkpoints, sequencer, tree
from portal.ledger.checkpoints import CheckpointError
from portal.ledger.entries import erase, record
from portal.ledger.fsck import Fault, fsck
from portal.ledger.models import Checkpoint, Detail, Entry, Head
from portal.ledger.sequencer import LedgerDamaged, sequence, sign_head

from .ledger_book import Somebody, committed, expected_root, snapshot, unguarded, write

pytestmark = pytest.mark.usefixtures("own_book")


@committed
class TestErasure:
    def test_particulars_go_and_the_proof_stays(self) -> None:
        clerk, litigant = Somebody(), Somebody()
        with transaction.atomic():
            entry = record("report.release", actor=litigant, case=clerk, params={"report": "王某"})
        sequence()
        size, root = Head.objects.values_list("size", "root").get()
        erase(entry, actor=clerk, basis="PIPL-47")
        sequence()
        assert not Detail.objects.filter(entry=entry).exists()
        assert "王某" not in repr(snapshot()) and str(litigant.public_id) not in repr(snapshot())
        path = checkpoints.inclusion_proof(0, size)
        kept = hashlib.sha256(b"\0" + bytes(Entry.objects.get(pk=entry.pk).leaf)).digest()
        assert tree.verify_inclusion(kept, index=0, size=size, path=path, expected_root=bytes(root))
        assert fsck() == []

    def test_silent_removal_is_a_fault(self) -> None:
        (entry,) = write()
        sequence()
        with unguarded("ledger_detail") as cursor:
            cursor.execute("DELETE FROM ledger_detail")
        assert fsck() == [Fault(f"entry {entry.pk}", "the particulars are gone and no act of erasure names them")]

    def test_the_permission_ends_with_the_erasure(self) -> None:
        one, two = write(2)
        with transaction.atomic():
            erase(one, actor=Somebody(), basis="x")
            with pytest.raises(IntegrityError), transaction.atomic():
                two.detail.delete()
        with pytest.raises(IntegrityError):
            two.detail.delete()


@committed
class TestTampering:
    """L1: a superuser changes one bit, or a row; fsck names the place."""

    @pytest.fixture
    def book(self) -> list[Entry]:
        write(300)
        sequence()
        write(5)
        sequence()
        write(1)
        assert fsck() == []
        return list(Entry.objects.order_by("id"))

    def flip(self, table: str, column: str, where: str, bit: int) -> None:
        with unguarded(table) as cursor:
            cursor.execute(
                f"UPDATE {table} SET {column} = set_bit({column}, %s, 1 - get_bit({column}, %s)) WHERE {where}", [bit, bit]
            )
            assert cursor.rowcount == 1

    @pytest.mark.parametrize("bit", [0, 5, 100, 255])
    def test_one_bit(self, book: list[Entry], bit: int) -> None:
        victim = book[137]
        places = {
            ("ledger_entry", "leaf", f"id = {victim.pk}"): f"entry {victim.pk}",
            ("ledger_entry", "leaf_hash", f"id = {victim.pk}"): f"entry {victim.pk}",
            ("ledger_entry", "leaf", f"id = {book[-1].pk}"): f"entry {book[-1].pk}",  # not yet sequenced
            ("ledger_detail", "salt", f"entry_id = {victim.pk}"): f"entry {victim.pk}",
            ("ledger_tile", "hashes", "level = 0 AND number = 0"): "tile 0/0",
            ("ledger_tile", "hashes", "level = 0 AND number = 1"): "tile 0/1",
            ("ledger_tile", "hashes", "level = 1 AND number = 0"): "tile 1/0",
            ("ledger_head", "root", "true"): "head",
            ("ledger_checkpoint", "root", "size = 300"): "checkpoint 300",
        }
        for place, named in places.items():
            self.flip(*place, bit)
            assert named in {f.where for f in fsck()}, place
            self.flip(*place, bit)
        assert fsck() == []

    @pytest.mark.parametrize("column", ["act", "at", "actor", "case", "subject", "params"])
    def test_particulars(self, book: list[Entry], column: str) -> None:
        new = "now()" if column == "at" else "'test.nope'" if column != "params" else "'{\"n\":138}'"
        with unguarded("ledger_detail") as cursor:
            cursor.execute(f'UPDATE ledger_detail SET "{column}" = {new} WHERE entry_id = {book[137].pk}')
        assert fsck() == [Fault(f"entry {book[137].pk}", "the particulars do not belong to the leaf")]

    @pytest.mark.parametrize(
        ("statements", "named"),
        [
            (["DELETE FROM ledger_detail WHERE entry_id = {5}", "DELETE FROM ledger_entry WHERE id = {5}"], "entry {6}"),
            (["DELETE FROM ledger_detail WHERE entry_id = {304}", "DELETE FROM ledger_entry WHERE id = {304}"], "head"),
            (["UPDATE ledger_entry SET leaf_index = -1 WHERE id = {5}", "UPDATE ledger_entry SET leaf_index = 5 WHERE id = {6}",
              "UPDATE ledger_entry SET leaf_index = 6 WHERE id = {5}"], "tile 0/0"),
            (["UPDATE ledger_entry SET leaf_index = 305 WHERE id = {305}"], "head"),
            (["UPDATE ledger_entry SET leaf_index = NULL WHERE id = {5}"], "entry {6}"),
            (["DELETE FROM ledger_tile WHERE level = 1"], "tile 1/0"),
            (["INSERT INTO ledger_tile (level, number, hashes) VALUES (0, 2, 'x')"], "tile 0/2"),
            (["UPDATE ledger_head SET size = 304"], "head"),
            (["DELETE FROM ledger_head"], "head"),
            (["UPDATE ledger_checkpoint SET note = replace(note, '300', '301') WHERE size = 300"], "checkpoint 300"),
            (["DELETE FROM ledger_checkpoint WHERE size = 305", "UPDATE ledger_checkpoint SET size = 305 WHERE size = 300"], "checkpoint 305"),
        ],
    )  # fmt: skip
    def test_rows(self, book: list[Entry], statements: list[str], named: str) -> None:
        ids = [entry.pk for entry in book]
        tables = ("ledger_entry", "ledger_detail", "ledger_tile", "ledger_head", "ledger_checkpoint")
        with unguarded(*tables) as cursor:
            for statement in statements:
                cursor.execute(re.sub(r"{(\d+)}", lambda m: str(ids[int(m[1])]), statement))
        assert re.sub(r"{(\d+)}", lambda m: str(ids[int(m[1])]), named) in {f.where for f in fsck()}

    def test_the_file(self, book: list[Entry]) -> None:
        file = checkpoints.newest_file()
        good = file.read_text()
        for bad in (good.replace("305", "306"), good.replace("— ", "- "), good[:-2] + "\n", ""):
            file.write_text(bad)
            assert [f.where for f in fsck()] == ["file"], bad
        file.unlink()
        assert [f.where for f in fsck()] == ["file"]
        file.write_text(Checkpoint.objects.get(size=300).note)
        assert fsck() == [Fault("file", "ends at 300, the database was signed up to 305")]

    def test_damage_before_sequencing_stops_the_signature(self, book: list[Entry]) -> None:
        self.flip("ledger_entry", "leaf", f"id = {book[-1].pk}", 3)
        with pytest.raises(LedgerDamaged, match=f"entry {book[-1].pk}"):
            sequence()
        assert Head.objects.get().size == 305

    def test_damage_after_commit_stops_the_signature(self, book: list[Entry], monkeypatch: pytest.MonkeyPatch) -> None:
        for table, column, where in (
            ("ledger_tile", "hashes", "level = 0 AND number = 1"),
            ("ledger_entry", "leaf", f"id = {book[-1].pk}"),
        ):
            with monkeypatch.context() as patch:
                patch.setattr(sequencer, "sign_head", lambda: None)
                sequence()
            self.flip(table, column, where, 17)
            with pytest.raises(LedgerDamaged):
                sign_head()
            assert Checkpoint.objects.order_by("-size").first() == Checkpoint.objects.get(size=305)
            self.flip(table, column, where, 17)


@committed
class TestHistory:
    """What was signed once binds: no second history gets a signature (R1, R2)."""

    def rewind(self, size: int) -> None:
        """An old dump is restored: rows as they were, the file outside as it is."""
        with unguarded("ledger_entry", "ledger_detail", "ledger_tile", "ledger_head", "ledger_checkpoint") as cursor:
            cursor.execute("DELETE FROM ledger_detail USING ledger_entry e WHERE entry_id = e.id AND leaf_index >= %s", [size])
            cursor.execute("DELETE FROM ledger_entry WHERE leaf_index >= %s", [size])
            cursor.execute("DELETE FROM ledger_checkpoint WHERE size > %s", [size])
            cursor.execute("DELETE FROM ledger_tile WHERE NOT (level = 0 AND number = 0)")
            cursor.execute("UPDATE ledger_tile SET hashes = substring(hashes FROM 1 FOR %s)", [32 * size])
            cursor.execute("UPDATE ledger_head SET size = %s", [size])
            cursor.execute("SELECT root FROM ledger_checkpoint WHERE size = %s", [size])
            cursor.execute("UPDATE ledger_head SET root = %s", [cursor.fetchone()[0]])

    def test_a_restored_backup_is_not_signed(self) -> None:
        write(10)
        sequence()
        write(10)
        sequence()
        signed = checkpoints.newest_file().read_text()
        self.rewind(10)
        assert [f.where for f in fsck()] == ["file"]
        write(3)  # shorter than what was signed
        with pytest.raises(CheckpointError, match="was signed before"):
            sequence()
        write(20)  # longer, but another history
        with pytest.raises(CheckpointError, match="does not continue"):
            sequence()
        assert checkpoints.newest_file().read_text() == signed
        assert Checkpoint.objects.order_by("-size").values_list("size", flat=True)[0] == 10

    def test_same_size_other_root_is_not_signed(self) -> None:
        write(10)
        sequence()
        write(5)
        sequence()
        self.rewind(10)
        write(5, first=900)
        with pytest.raises(CheckpointError, match="does not continue"):
            sequence()

    def test_a_lost_key_is_not_replaced_quietly(self, own_book: Path) -> None:
        write(1)
        sequence()
        (own_book / "keys" / "ledger.key").unlink()
        write(1)
        with pytest.raises(CheckpointError, match="missing"):
            sequence()
        assert not (own_book / "keys" / "ledger.key").exists()

    def test_another_key_cannot_go_on(self, own_book: Path) -> None:
        write(1)
        sequence()
        (own_book / "keys" / "ledger.key").unlink()
        name = checkpoints.origin()
        made = Ed25519PrivateKey.generate()
        blob = base64.b64encode(b"\1" + made.private_bytes_raw()).decode()
        (own_book / "keys" / "ledger.key").write_text(f"PRIVATE+KEY+{name}+00000000+{blob}\n")
        write(1)
        with pytest.raises(CheckpointError, match="not signed by this log"):
            sequence()
        assert fsck() != []

    def test_a_missing_head_is_not_begun_anew(self) -> None:
        write(3)
        sequence()
        with unguarded("ledger_head") as cursor:
            cursor.execute("DELETE FROM ledger_head")
        write(1)
        with pytest.raises(LedgerDamaged, match="head is missing"):
            sequence()

    def test_not_signed_before_commit(self) -> None:
        write(1)
        with transaction.atomic(), pytest.raises(LedgerDamaged, match="committed"):
            sign_head()


@committed
class TestNotes:
    def test_key_file(self, own_book: Path) -> None:
        write(1)
        sequence()
        file = own_book / "keys" / "ledger.key"
        assert file.stat().st_mode & 0o777 == 0o600
        assert re.fullmatch(r"PRIVATE\+KEY\+[^+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}\n", file.read_text())
        assert file.with_suffix(".vkey").read_text() == checkpoints.public_key().line() + "\n"

    def test_the_note_by_the_letter_of_the_specification(self) -> None:
        """Signed-note and tlog-checkpoint read here by hand, with the public line alone."""
        write(5)
        sequence()
        note = checkpoints.newest_file().read_bytes()
        name, key_id, key = checkpoints.public_key().line().split("+", 2)
        blob = base64.b64decode(key)
        assert blob[0] == 1 and hashlib.sha256(name.encode() + b"\n" + blob).hexdigest()[:8] == key_id
        text, _, signatures = note.rpartition(b"\n\n")
        text += b"\n"
        assert text == f"{name}\n5\n{base64.b64encode(expected_root()).decode()}\n".encode()
        match = re.fullmatch(rb"\xe2\x80\x94 (\S+) (\S+)\n", signatures)
        assert match and match[1].decode() == name
        signature = base64.b64decode(match[2])
        assert signature[:4].hex() == key_id
        Ed25519PublicKey.from_public_bytes(blob[1:]).verify(signature[4:], text)

    def test_foreign_signatures_are_ignored_and_ours_is_needed(self) -> None:
        """Grease: unknown keys and unknown types under our name; a bad signature under our own key rejects."""
        write(5)
        sequence()
        by = checkpoints.public_key()
        note = checkpoints.newest_file().read_text()
        grease = f"— {by.name} {base64.b64encode(os.urandom(68)).decode()}\n— other.example/log {base64.b64encode(b'12345').decode()}\n"
        assert checkpoints.read(note + grease, by=by).size == 5
        head, _, ours = note.rpartition("\n\n")
        assert checkpoints.read(head + "\n\n" + grease + ours, by=by).size == 5
        bad = base64.b64encode(by.id + os.urandom(64)).decode()
        for refused in (
            head + "\n\n" + grease,
            note + f"— {by.name} {bad}\n",
            note.replace("\n5\n", "\n05\n"),
            note.replace("\n5\n", "\n6\n"),
            note + "\n",
            note[:-1],
            note.replace("—", "-"),
            note + "— x\n",
            note.replace("5", "5\t", 1),
            "",
        ):
            with pytest.raises(CheckpointError):
                checkpoints.read(refused, by=by)

    def test_every_bit_of_a_note_counts(self) -> None:
        write(5)
        sequence()
        by = checkpoints.public_key()
        note = checkpoints.newest_file().read_bytes()
        good = checkpoints.read(note.decode(), by=by)
        for bit in range(8 * len(note)):
            flipped = bytearray(note)
            flipped[bit // 8] ^= 1 << bit % 8
            try:
                found = checkpoints.read(flipped.decode(), by=by)
            except (CheckpointError, UnicodeDecodeError):
                continue
            raise AssertionError((bit, found, good))

    def test_tlog_proof_offline(self) -> None:
        """A receipt's proof checked by a reader of its own: nothing of the portal but the public line."""
        write(300)
        sequence()
        entry = Entry.objects.get(leaf_index=123)
        line = checkpoints.public_key().line()
        proof = checkpoints.tlog_proof(123)

        def check(leaf: bytes, proof: str) -> bool:
            head, _, note = proof.partition("\n\n")
            first, second, *path = head.split("\n")
            assert first == "c2sp.org/tlog-proof@v1"
            index = int(second.removeprefix("index "))
            text, _, signature = note.rpartition("\n\n")
            name, _, key = line.split("+", 2)
            Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:]).verify(
                base64.b64decode(signature.split()[2])[4:], (text + "\n").encode()
            )
            assert text.split("\n")[0] == name
            size, root = int(text.split("\n")[1]), base64.b64decode(text.split("\n")[2])
            hashed, last = hashlib.sha256(b"\0" + leaf).digest(), size - 1
            for p in map(base64.b64decode, path):
                while not (index & 1 or index < last):
                    index, last = index >> 1, last >> 1
                pair = (p, hashed) if index & 1 else (hashed, p)
                hashed = hashlib.sha256(b"\1" + pair[0] + pair[1]).digest()
                index, last = index >> 1, last >> 1
            return hashed == root

        assert check(bytes(entry.leaf), proof)
        assert not check(bytes(entry.leaf) + b" ", proof)
        assert not check(bytes(entry.leaf), proof.replace("index 123", "index 122"))
        write(1)
        with pytest.raises(CheckpointError, match="not under a signed head"):
            checkpoints.tlog_proof(300)
