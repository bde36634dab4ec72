"""The book of acts: complete, in order, signed only when it is whole, and loud when anybody touches it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import re
import signal
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import IntegrityError, connection, transaction

from portal.ledger import checkpoints, sequencer, tree
from portal.ledger.acts import ACTS, Act
from portal.ledger.checkpoints import CheckpointError
from portal.ledger.entries import LedgerError, canonical, erase, record, sentence
from portal.ledger.fsck import Fault, fsck
from portal.ledger.models import Checkpoint, Detail, Entry, Head, Tile
from portal.ledger.sequencer import LedgerDamaged, sequence, sign_head, turn

committed = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Somebody:
    public_id: uuid.UUID = field(default_factory=uuid.uuid4)


@pytest.fixture(autouse=True)
def own_book(ledger_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(ACTS, "test.note", Act("test.note", "记录 {n}", "Note {n}", ("n",)))  # type: ignore[arg-type]
    return ledger_dir


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


class TestRecording:
    pytestmark = pytest.mark.django_db

    def test_the_leaf_is_the_act_without_the_person(self) -> None:
        judge, case = Somebody(), Somebody()
        digest = hashlib.sha256(b"pdf").hexdigest()
        entry = record("report.release", actor=judge, case=case, subject_digest=digest, params={"report": "核验-1 张三"})
        leaf = bytes(entry.leaf)
        assert bytes(entry.leaf_hash) == hashlib.sha256(b"\0" + leaf).digest() and entry.leaf_index is None
        said = json.loads(leaf)
        assert set(said) == {"v", "act", "at", "actor", "case", "subject", "params"}
        assert (said["v"], said["act"], said["subject"]) == (1, "report.release", digest)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", said["at"])
        assert leaf == json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        for personal in (str(judge.public_id), judge.public_id.hex, str(case.public_id), "核验", "张三"):
            assert personal.encode() not in leaf
        assert (entry.detail.actor, entry.detail.case) == (str(judge.public_id), str(case.public_id))

    def test_the_same_act_twice_shares_no_hash(self) -> None:
        judge = Somebody()
        one, two = (json.loads(bytes(record("report.fail", actor=judge, case=judge, params={"report": "1"}).leaf)) for _ in "12")
        assert not {one[k] for k in ("actor", "case", "params")} & {two[k] for k in ("actor", "case", "params")}
        assert one["actor"] != one["case"]

    def test_nobody_and_nothing(self) -> None:
        said = json.loads(bytes(record("ledger.heartbeat", actor=None).leaf))
        assert (said["actor"], said["case"], said["subject"]) == (None, None, None)

    @pytest.mark.parametrize(
        ("act", "arguments"),
        [
            ("no.such", {"params": {}}),
            ("report.fail", {"params": {}}),
            ("report.fail", {"params": {"report": "1", "extra": 1}}),
            ("report.fail", {"params": {"report": 1.5}}),
            ("report.fail", {"params": {"report": float("nan")}}),
            ("report.fail", {"params": {"report": 2**53}}),
            ("report.fail", {"params": {"report": b"bytes"}}),
            ("report.fail", {"params": {"report": object()}}),
            ("report.fail", {"params": {"report": {1: "x"}}}),
            ("report.fail", {"params": {"report": "\ud800"}}),
            ("report.fail", {"params": {"report": "1"}, "subject_digest": "abc"}),
            ("report.fail", {"params": {"report": "1"}, "subject_digest": "A" * 64}),
        ],
    )
    def test_what_the_register_does_not_know_is_refused(self, act: str, arguments: dict[str, Any]) -> None:
        with pytest.raises(LedgerError):
            record(act, actor=None, **arguments)
        assert not Entry.objects.exists()

    def test_sentences(self) -> None:
        detail = record("report.fail", actor=None, params={"report": "R-7"}).detail
        assert sentence(detail, language="zh-hans") == "核验报告 R-7 未能生成"
        assert sentence(detail, language="en") == "Report R-7 could not be made"


@committed
def test_an_act_happens_with_its_transaction_or_not_at_all() -> None:
    with pytest.raises(LedgerError, match="transaction"):
        record("test.note", actor=None, params={"n": 1})
    with transaction.atomic():
        record("test.note", actor=None, params={"n": 1})
        transaction.set_rollback(True)
    assert not Entry.objects.exists() and not Detail.objects.exists()


def test_every_sentence_names_only_its_particulars() -> None:
    for act in ACTS.values():
        for template in (act.zh, act.en):
            assert set(re.findall(r"{(\w+)}", template)) <= set(act.params), act.code
    forbidden = re.compile(r"真实|属实|伪造|采信|authentic|genuine|forged|fake|admitted", re.IGNORECASE)
    assert not [a.code for a in ACTS.values() if forbidden.search(a.zh + a.en)]


def test_every_act_written_anywhere_is_in_the_register() -> None:
    """The calls of `record` in the source, read as syntax: their codes exist and their literal particulars fit."""
    import ast

    root = Path(__file__).resolve().parents[2]
    wrong, calls = [], 0
    for file in sorted(p for room in ("portal", "cases", "evidence") for p in (root / room).rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not call.args or not isinstance(call.args[0], ast.Constant):
                continue
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name != "record":
                continue
            calls += 1
            where = f"{file.relative_to(root)}:{call.lineno} {call.args[0].value}"
            act = ACTS.get(call.args[0].value)
            if act is None:
                wrong.append(f"{where} is not registered")
                continue
            given = next((k.value for k in call.keywords if k.arg == "params"), None)
            if isinstance(given, ast.Dict) and all(isinstance(k, ast.Constant) for k in given.keys):
                names = {k.value for k in given.keys if isinstance(k, ast.Constant)}
                if names != set(act.params):
                    wrong.append(f"{where} has {sorted(map(str, names))}, the register {sorted(act.params)}")
    assert wrong == [] and calls >= 2


@committed
class TestSequencing:
    def test_index_tiles_head_and_signed_note(self) -> None:
        write(3)
        assert sequence() == 3 and sequence() == 0
        assert [json.loads(leaf)["act"] for leaf in leaves()] == ["test.note"] * 3
        head = Head.objects.get()
        assert (head.size, bytes(head.root)) == (3, expected_root())
        checkpoint = Checkpoint.objects.get()
        assert (checkpoint.size, bytes(checkpoint.root)) == (3, expected_root())
        assert checkpoints.newest_file().read_text() == checkpoint.note
        assert fsck() == []

    @pytest.mark.parametrize("limit", [1, 7, 100, 256, 1000])
    def test_batches_make_no_difference(self, limit: int) -> None:
        total = 12 if limit == 1 else 600
        write(total)
        taken = []
        while n := sequence(limit):
            taken.append(n)
        assert sum(taken) == total and max(taken) <= limit
        assert bytes(Head.objects.get().root) == expected_root()
        assert Checkpoint.objects.count() == len(taken)
        assert {(t.level, t.number): len(t.hashes) // 32 for t in Tile.objects.all()} == tree.expected_tiles(total)
        assert fsck() == []

    def test_late_commits_are_not_passed_over(self) -> None:
        """Serial ids become visible out of order: the lower id may be committed after the higher one was sequenced."""
        opened, finish = threading.Event(), threading.Event()

        def slow() -> None:
            try:
                with transaction.atomic():
                    record("test.note", actor=None, params={"n": 1})
                    opened.set()
                    finish.wait(10)
            finally:
                connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        opened.wait(10)
        (fast,) = write(first=2)
        assert sequence() == 1
        finish.set()
        thread.join()
        assert sequence() == 1
        assert [e.leaf_index for e in Entry.objects.order_by("id")] == [1, 0]
        assert fast.pk > Entry.objects.get(leaf_index=1).pk
        assert fsck() == []

    def test_two_sequencers_at_once(self) -> None:
        write(400)
        faults: list[BaseException] = []
        counts: list[int] = []

        def run() -> None:
            try:
                while n := sequence(23):
                    counts.append(n)
            except BaseException as fault:
                faults.append(fault)
            finally:
                connection.close()

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for n in range(20):
            write(5, first=1000 + 5 * n)
        for thread in threads:
            thread.join()
        counts.append(sequence())
        assert faults == [] and sum(counts) == 500
        assert sorted(Entry.objects.values_list("leaf_index", flat=True)) == list(range(500))
        assert fsck() == []

    def test_every_proof_of_every_head(self) -> None:
        for step in (1, 2, 5, 30):
            write(step)
            sequence()
        total = Head.objects.get().size
        hashes = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves()]
        heads = {c.size: bytes(c.root) for c in Checkpoint.objects.all()}
        assert list(heads) == [1, 3, 8, total]
        for size, root in heads.items():
            for index in range(size):
                path = checkpoints.inclusion_proof(index, size)
                assert tree.verify_inclusion(hashes[index], index=index, size=size, path=path, expected_root=root)
            assert tree.verify_consistency(
                first=size, second=total, first_root=root, second_root=heads[total],
                path=checkpoints.consistency_proof(size, total),
            )  # fmt: skip
        with pytest.raises(LookupError):
            checkpoints.inclusion_proof(0, total + 1)

    def test_a_turn_keeps_the_pulse(self) -> None:
        assert turn() == 1  # the heartbeat itself
        assert turn() == 0
        write(3)
        assert turn() == 3
        assert [json.loads(leaf)["act"] for leaf in leaves()].count("ledger.heartbeat") == 1


@committed
class TestCrashes:
    """Die at every statement of the sequencer, in turn; a later call must finish the work, and nothing is torn."""

    class Crash(BaseException):
        pass

    def crash_at(self, statement: int) -> bool:
        """Run `sequence`, dying before its n-th statement. False when there is no n-th."""
        seen = 0

        def wrapper(execute: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == statement:
                raise self.Crash
            return execute(*arguments)

        with connection.execute_wrapper(wrapper):
            try:
                sequence()
            except self.Crash:
                return True
        return False

    def test_at_every_statement(self) -> None:
        write(2)
        sequence()
        heads = [checkpoints.newest_file().read_text()]
        statement = 0
        while True:
            statement += 1
            write(3, first=100 * statement)
            if not self.crash_at(statement):
                break
            connection.close()
            assert [f for f in fsck() if f.where != "file"] == [], statement
            heads.append(checkpoints.newest_file().read_text())
            sequence()
            assert fsck() == [], statement
            heads.append(checkpoints.newest_file().read_text())
        assert statement > 12
        by = checkpoints.public_key()
        sizes = [checkpoints.read(note, by=by) for note in heads]
        for one, two in zip(sizes, sizes[1:], strict=False):  # an outside observer's list of heads
            assert one.size <= two.size
            assert tree.verify_consistency(
                first=one.size, second=two.size, first_root=one.root, second_root=two.root,
                path=checkpoints.consistency_proof(one.size, two.size),
            )  # fmt: skip

    @pytest.mark.parametrize("step", ["sign", "keep_outside", "_read_back"])
    def test_between_commit_and_publication(self, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
        write(2)
        place = sequencer if step == "_read_back" else checkpoints
        with monkeypatch.context() as patch:
            patch.setattr(place, step, self.dying(getattr(place, step)))
            with pytest.raises(self.Crash):
                sequence()
        assert Head.objects.get().size == 2 and not Checkpoint.objects.exists()
        assert sequence() == 0  # nothing new, but the head still wants its signature
        assert Checkpoint.objects.get().size == 2 and fsck() == []

    def test_killed_at_any_moment(self, own_book: Path) -> None:
        """SIGKILL, at a random moment, of a process that writes and sequences; an outside observer keeps every head."""
        write(1)
        sequence()
        heads = [checkpoints.newest_file().read_text()]
        chance = random.Random(7)
        for _ in range(12):
            connection.close()
            pid = os.fork()
            if pid == 0:
                try:
                    while True:
                        write(chance.randrange(1, 20))
                        sequence(chance.randrange(1, 30))
                finally:
                    os._exit(1)
            until = time.monotonic() + chance.uniform(0.05, 0.4)
            while time.monotonic() < until:
                heads.append(checkpoints.newest_file().read_text())
                time.sleep(0.001)
            os.kill(pid, signal.SIGKILL)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
            wait_until_the_server_noticed()
            assert [f for f in fsck() if "was signed up to" not in f.what and f.where != "file"] == []
        sequence()
        assert fsck() == []
        by = checkpoints.public_key()
        seen = [checkpoints.read(note, by=by) for note in dict.fromkeys(heads)]
        assert len(seen) > 12
        last = checkpoints.newest_outside(by)
        assert last is not None
        for head in seen:
            path = checkpoints.consistency_proof(head.size, last.size) if head.size < last.size else []
            assert tree.verify_consistency(
                first=head.size, second=last.size, first_root=head.root, second_root=last.root, path=path
            )

    def dying(self, after: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: Any, **named: Any) -> object:
            after(*arguments, **named)
            raise self.Crash

        return call


@committed
class TestDatabaseRefuses:
    """Not the code's politeness: the statements go straight to PostgreSQL."""

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE ledger_entry SET leaf = 'x'",
            "UPDATE ledger_entry SET leaf_hash = 'x'",
            "UPDATE ledger_entry SET leaf_index = leaf_index + 10",
            "UPDATE ledger_entry SET leaf_index = NULL",
            "UPDATE ledger_entry SET id = id + 1000",
            "UPDATE ledger_entry SET leaf_index = 77, leaf = 'x' WHERE leaf_index IS NULL",
            "INSERT INTO ledger_entry (leaf, leaf_hash, leaf_index) VALUES ('x', 'x', 99)",
            "DELETE FROM ledger_entry",
            "DELETE FROM ledger_entry WHERE leaf_index IS NULL",
            "UPDATE ledger_detail SET actor = 'x'",
            "UPDATE ledger_detail SET params = '{}'",
            "DELETE FROM ledger_detail",
            "UPDATE ledger_tile SET hashes = substring(hashes FROM 1 FOR 32)",
            "UPDATE ledger_tile SET hashes = 'x'",
            "UPDATE ledger_tile SET number = number + 1",
            "UPDATE ledger_tile SET hashes = hashes",
            "DELETE FROM ledger_tile",
            "UPDATE ledger_head SET size = size - 1",
            "UPDATE ledger_head SET root = 'x'",
            "DELETE FROM ledger_head",
            "INSERT INTO ledger_head (id, size, root) VALUES (2, 9, 'x')",
            "UPDATE ledger_checkpoint SET note = 'x'",
            "DELETE FROM ledger_checkpoint",
            *(f"TRUNCATE ledger_{t} CASCADE" for t in ("entry", "detail", "tile", "head", "checkpoint")),
        ],
    )
    def test_statement(self, statement: str) -> None:
        write(3)
        sequence()
        write(1)
        before = snapshot()
        with pytest.raises(IntegrityError), connection.cursor() as cursor:
            cursor.execute(statement)
        assert snapshot() == before and fsck() == []

    def test_migrations_match_the_models(self) -> None:
        from django.core.management import call_command

        call_command("makemigrations", "ledger", check=True, dry_run=True, verbosity=0)


def wait_until_the_server_noticed() -> None:
    """A killed client's transaction is rolled back only when its server process finds out."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if cursor.fetchone()[0] == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the killed client's session lives on")


def snapshot() -> list[object]:
    return [list(m.objects.order_by("pk").values_list()) for m in (Entry, Detail, Tile, Head, Checkpoint)]


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


def test_canonical() -> None:
    assert canonical({"b": [1, True, None], "a": "明鉴\n"}) == '{"a":"明鉴\\n","b":[1,true,null]}'.encode()
    assert canonical({"a": 1}) != canonical({"a": True})
