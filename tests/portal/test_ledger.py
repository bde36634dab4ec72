"""The book of acts: complete, in order, signed only when it is whole, and loud when anybody touches it."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from portal.ledger import checkpoints, sequencer, tree
from portal.ledger.acts import ACTS
from portal.ledger.entries import LedgerError, canonical, record, sentence
from portal.ledger.fsck import fsck
from portal.ledger.models import Checkpoint, Detail, Entry, Head, Tile
from portal.ledger.sequencer import sequence, turn

from .ledger_book import Somebody, committed, expected_root, leaves, snapshot, write

pytestmark = pytest.mark.usefixtures("own_book")


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
            bystanders = sessions()
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
            wait_until_the_server_noticed(bystanders)
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


def sessions() -> set[int]:
    """Process ids of the server's other sessions on this database: a thread of an earlier test may still hold one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        return {pid for (pid,) in cursor.fetchall()}


def wait_until_the_server_noticed(bystanders: set[int]) -> None:
    """A killed client's transaction is rolled back only when its server process finds out."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if sessions() <= bystanders:
            return
        time.sleep(0.02)
    raise AssertionError("the killed client's session lives on")


def test_canonical() -> None:
    assert canonical({"b": [1, True, None], "a": "明鉴\n"}) == '{"a":"明鉴\\n","b":[1,true,null]}'.encode()
    assert canonical({"a": 1}) != canonical({"a": True})
