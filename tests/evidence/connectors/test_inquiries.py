"""The queue of questions: one worker at a time, nobody pressed too hard, nothing lost, the bench may ask again."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from evidence.connectors import inquiries
from evidence.connectors.models import Exchange, Inquiry
from evidence.exhibits.models import Exhibit
from evidence.runs import queue
from evidence.runs.models import Run
from evidence.verification.verdict import Overall
from portal.ledger.models import Detail
from tests import courtroom
from tests.evidence.verification import fisco3_exhibits as block

from .node_servers import Listening, configuration, entry, fisco3_results, replay

pytestmark = pytest.mark.django_db(transaction=True)
CHAIN = block.built()
TXS = [str(t["hash"]) for t in CHAIN.transactions]


@pytest.fixture(autouse=True)
def quiet_bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rung: list[str] = []
    monkeypatch.setattr(inquiries, "ring", lambda task: bool(rung.append("inquiry")))
    monkeypatch.setattr(queue, "ring", lambda task, pk: bool(rung.append("run")))
    return rung


@pytest.fixture(autouse=True)
def vault_dir(settings: Settings, tmp_path: Path) -> None:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    settings.PORTAL_CONNECTORS = ""


@pytest.fixture
def connect(settings: Settings, tmp_path: Path) -> Callable[..., None]:
    def write(*entries: Mapping[str, Any]) -> None:
        settings.PORTAL_CONNECTORS = str(configuration(tmp_path, *entries))

    return write


@pytest.fixture
def node(connect: Callable[..., None]) -> Iterator[Listening]:
    with Listening(replay(fisco3_results(CHAIN))) as server:
        connect(entry(server.port))
        yield server


def unproven(*txs: str, number: int = 1) -> tuple[Exhibit, Run]:
    """An exhibit whose run ended 无法判定 over a certificate that names these transactions."""
    user = courtroom.person(f"p{number}")
    files = {"page.html": block.PAGE}
    for n, tx in enumerate(txs or TXS[:1]):
        files[f"certificate-{n}.json"] = json.dumps({"存证编号": str(n), "交易哈希": tx}).encode()
    exhibit = courtroom.hand_in(courtroom.case(number), user, files=files)
    verdict = block.examine(files, block.trust(CHAIN))
    assert verdict.overall is Overall.INDETERMINATE
    return exhibit, courtroom.run(exhibit, verdict)


def considered(*txs: str, number: int = 1) -> Exhibit:
    exhibit, run = unproven(*txs, number=number)
    with transaction.atomic():
        inquiries.consider(run.pk, bytes(run.verdict.document))
    return exhibit


# ── once, by itself ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_considering_twice_asks_once(node: Listening) -> None:
    exhibit, run = unproven()
    for _ in range(3):
        with transaction.atomic():
            inquiries.consider(run.pk, bytes(run.verdict.document))
    assert Inquiry.objects.count() == 1
    assert inquiries.work_once() and not inquiries.work_once()
    with transaction.atomic():
        inquiries.consider(run.pk, bytes(run.verdict.document))
    assert Inquiry.objects.count() == 1, "answered once, never again by itself"


def test_spellings_of_one_transaction_are_one_inquiry(node: Listening) -> None:
    considered(TXS[0], TXS[0].removeprefix("0x"), TXS[0].upper().replace("0X", "0x"))
    assert [i.tx_id for i in Inquiry.objects.all()] == [TXS[0]]


def test_every_node_that_could_know_is_asked_and_one_answer_is_enough(connect: Callable[..., None]) -> None:
    with Listening(replay(lambda m, p: None)) as ignorant, Listening(replay(fisco3_results(CHAIN))) as knowing:
        connect(entry(ignorant.port, id="court-a"), entry(knowing.port, id="court-b"), entry(1, id="court-c", automatic=False))
        exhibit = considered()
        assert sorted(Inquiry.objects.values_list("node", flat=True)) == ["court-a", "court-b"]
        assert inquiries.work_once()
        assert Run.objects.filter(exhibit=exhibit).count() == 1, "another node may still know it"
        assert inquiries.work_once()
    run = Run.objects.get(exhibit=exhibit, number=2)
    record = json.loads(_bytes(run.obtained.get(name="court-node/manifest.json").sha256))
    assert [(i["node"], i["outcome"], len(i["answers"])) for i in record["inquiries"]] == [("court-a", "NOT_FOUND", 0), ("court-b", "ANSWERED", 3)]


def _bytes(sha256: str) -> bytes:
    from django.conf import settings

    from portal.vault import Vault

    return Vault(settings.PORTAL_VAULT_DIR).path(sha256).read_bytes()


# ── by the bench ──────────────────────────────────────────────────────────────────────────────────────────────────────


def client(user: object) -> Client:
    made = Client()
    made.force_login(user)  # type: ignore[arg-type]
    return made


def test_the_bench_asks_with_a_button_even_when_nothing_is_asked_by_itself(connect: Callable[..., None]) -> None:
    judge = courtroom.person("judge")
    with Listening(replay(fisco3_results(CHAIN))) as server:
        connect(entry(server.port, automatic=False))
        exhibit = considered()
        courtroom.join(judge, exhibit.case, "presiding_judge")
        page = reverse("exhibits:exhibit", args=[exhibit.public_id])
        assert "向法院节点查询" in client(judge).get(page).content.decode()
        client(judge).post(reverse("connectors:ask", args=[exhibit.public_id]))
        inquiry = Inquiry.objects.get()
        assert (inquiry.requested_by, inquiry.state) == (judge, "queued")
        body = client(judge).get(page).content.decode()
        assert "等待查询" in body and "<button" not in body.split('id="court-nodes"')[1].split("</section>")[0]
        assert server.connections == 0, "the page writes a row; the worker asks"
        client(judge).post(reverse("connectors:ask", args=[exhibit.public_id]))
        assert Inquiry.objects.count() == 1, "while it is open nobody asks again"
        assert inquiries.work_once()
    run = Run.objects.get(exhibit=exhibit, number=2)
    assert run.requested_by == judge
    assert Detail.objects.filter(act="node.ask").count() == 1


def test_asked_again_a_newer_answer_takes_the_place_of_the_older_in_new_runs(connect: Callable[..., None]) -> None:
    judge = courtroom.person("judge")
    bad = fisco3_results(CHAIN, getBlockByNumber={**CHAIN.block, "txsRoot": "0x" + "11" * 32})
    with Listening(replay(bad)) as server:
        connect(entry(server.port))
        exhibit = considered()
        assert inquiries.work_once()
    first = Run.objects.get(exhibit=exhibit, number=2)
    with Listening(replay(fisco3_results(CHAIN))) as server:
        connect(entry(server.port))
        assert inquiries.ask(exhibit, by=judge) == 1
        assert inquiries.work_once()
    second = Run.objects.get(exhibit=exhibit, number=3)
    blocks = [{s.sha256 for s in r.obtained.all() if s.name.endswith("block.json")} for r in (first, second)]
    assert len(blocks[0]) == len(blocks[1]) == 1 and blocks[0] != blocks[1]
    names = [s.name for s in second.obtained.all()]
    assert len(names) == len(set(names)) == 4


def test_the_bytes_are_handed_out_as_they_came(node: Listening) -> None:
    judge = courtroom.person("judge")
    exhibit = considered()
    courtroom.join(judge, exhibit.case, "presiding_judge")
    inquiries.work_once()
    run = Run.objects.get(exhibit=exhibit, number=2)
    for source in run.obtained.all():
        response = client(judge).get(reverse("connectors:source", args=[exhibit.public_id, 2, source.position]))
        assert b"".join(response.streaming_content) == _bytes(source.sha256)  # type: ignore[attr-defined]
        assert response["Content-Type"] == "application/octet-stream" and response["Content-Disposition"].startswith("attachment")
    assert Detail.objects.filter(act="node.download").count() == run.obtained.count()
    assert client(judge).get(reverse("connectors:source", args=[exhibit.public_id, 2, 99])).status_code == 404


# ── how hard a node is pressed ────────────────────────────────────────────────────────────────────────────────────────


def test_a_node_that_fails_is_left_alone_and_then_tried_by_one(connect: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    with Listening(replay(fisco3_results(CHAIN))) as server:
        port = server.port
    connect(entry(port, at_once=8))
    for n in range(1, 6):
        considered(TXS[0], number=n)
    for _ in range(3):
        assert inquiries.work_once()
    assert not inquiries.work_once(), "three in a row: the breaker is open, although two inquiries are due"
    assert Exchange.objects.count() == 3
    # The pause is over: one tries, the others wait for how it fares.
    monkeypatch.setattr(inquiries, "BREAKER_PAUSE", timedelta(0))
    node = inquiries.nodes()[0]
    assert inquiries._claim(node, worker="a") is not None
    assert inquiries._claim(node, worker="b") is None


def test_an_answer_closes_the_breaker(connect: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiries, "BREAKER_PAUSE", timedelta(0))
    with Listening(replay(fisco3_results(CHAIN))) as server:
        port = server.port
    connect(entry(port))
    for n in range(1, 6):
        considered(TXS[0], number=n)
    for _ in range(3):
        inquiries.work_once()
    with Listening(replay(fisco3_results(CHAIN))) as server:
        connect(entry(server.port))
        assert inquiries.work_once()
        node = inquiries.nodes()[0]
        Inquiry.objects.filter(state="queued").update(due_at=timezone.now())
        assert inquiries._claim(node, worker="a") and inquiries._claim(node, worker="b")


def test_requests_a_minute_are_counted_over_all_workers(connect: Callable[..., None]) -> None:
    with Listening(replay(fisco3_results(CHAIN))) as server:
        connect(entry(server.port, requests_per_minute=5))
        for n in range(1, 5):
            considered(TXS[0], number=n)
        worked = [inquiries.work_once() for _ in range(4)]
    # Three requests each: after two inquiries the node has had six.
    assert worked == [True, True, False, False] and server.connections == 6


def test_only_so_many_at_once(node: Listening, settings: Settings, connect: Callable[..., None]) -> None:
    connect(entry(node.port, at_once=2))
    for n in range(1, 5):
        considered(TXS[0], number=n)
    found = inquiries.nodes()[0]
    claims = [inquiries._claim(found, worker=str(n)) for n in range(4)]
    assert [c is not None for c in claims] == [True, True, False, False]


def test_many_workers_take_each_inquiry_once(connect: Callable[..., None]) -> None:
    with Listening(replay(fisco3_results(CHAIN))) as server:
        connect(entry(server.port, at_once=16))
        for n in range(1, 7):
            considered(TXS[0], number=n)

        def work() -> None:
            try:
                while inquiries.work_once():
                    pass
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(Inquiry.objects.values_list("state", "attempt")) == {("answered", 1)}
    assert Exchange.objects.count() == 18 and Run.objects.filter(number=2).count() == 6


# ── workers that die ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_worker_that_lost_its_lease_writes_no_answer(node: Listening) -> None:
    exhibit = considered()
    found = inquiries.nodes()[0]
    claim = inquiries._claim(found, worker="slow")
    assert claim is not None
    Inquiry.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert inquiries.work_once(), "the next worker takes over"
    inquiries._try(claim, found, [found], None)
    inquiry = Inquiry.objects.get()
    assert (inquiry.state, inquiry.attempt, inquiry.obtained.count()) == ("answered", 2, 3)
    assert Run.objects.filter(exhibit=exhibit).count() == 2
    assert Exchange.objects.count() == 6, "both were asked, and both stand in the archive"


def test_a_fault_of_our_own_is_no_answer(node: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    considered()
    with monkeypatch.context() as patch:
        patch.setattr(inquiries.handover, "compose", lambda *a: (_ for _ in ()).throw(OSError("disk")))
        assert inquiries.work_once()
    inquiry = Inquiry.objects.get()
    assert (inquiry.state, inquiry.tries, "disk" in inquiry.fault) == ("queued", 0, True)
    Inquiry.objects.update(due_at=timezone.now())
    assert inquiries.work_once()
    assert Inquiry.objects.get().state == "answered"


def test_the_sweep_rings_for_what_is_due_and_closes_what_nobody_can_answer(
    node: Listening, quiet_bells: list[str], connect: Callable[..., None]
) -> None:
    considered()
    quiet_bells.clear()
    assert inquiries.sweep() == 1 and quiet_bells == ["inquiry"]
    connect(entry(node.port, id="court-other"))
    inquiries.sweep()
    inquiry = Inquiry.objects.get()
    assert (inquiry.state, inquiry.fault) == ("unreachable", "the node is no longer configured")


def test_an_exhibit_full_of_files_gets_no_more(node: Listening) -> None:
    files = {f"{n}.txt": b"%d" % n for n in range(46)} | {"c.json": json.dumps({"存证编号": "1", "交易哈希": TXS[0]}).encode()}
    exhibit = courtroom.hand_in(courtroom.case(), courtroom.person("p"), files=files)
    run = courtroom.run(exhibit, block.examine(files, block.trust(CHAIN)))
    with transaction.atomic():
        inquiries.consider(run.pk, bytes(run.verdict.document))
    inquiries.work_once()
    inquiry = Inquiry.objects.get()
    assert (inquiry.state, inquiry.led_to) == ("answered", None)
    assert Run.objects.filter(exhibit=exhibit).count() == 1


def test_hostile_words_of_a_node_stay_words(connect: Callable[..., None]) -> None:
    """What a node says of its error reaches the page as text, short and without control characters."""
    judge = courtroom.person("judge")

    def script(sock: Any, request: bytes) -> None:
        from .node_servers import http

        words = "<script>alert(1)</script>\u202e\u0000" + "x" * 5000
        sock.sendall(http(json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": words}}).encode()))

    with Listening(script) as server:
        connect(entry(server.port))
        exhibit = considered()
        courtroom.join(judge, exhibit.case, "presiding_judge")
        assert inquiries.work_once()
    inquiry = Inquiry.objects.get()
    assert inquiry.state == "unusable" and len(inquiry.fault) <= 200
    body = client(judge).get(reverse("exhibits:exhibit", args=[exhibit.public_id])).content.decode()
    assert "<script>alert" not in body and "\u202e" not in body and "&lt;script&gt;" in body




def test_an_inquiry_that_no_worker_brings_to_an_end_is_given_up(node: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies of it each time: not for ever."""
    monkeypatch.setattr(inquiries, "ATTEMPTS_MAX", 2)
    considered()
    found = inquiries.nodes()[0]
    for _ in range(2):
        assert inquiries._claim(found, worker="dies")
        inquiries.sweep()
        assert Inquiry.objects.get().state == "running", "while its lease lasts it is somebody's"
        Inquiry.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert not inquiries.work_once()
    inquiries.sweep()
    assert Inquiry.objects.get().state == "unreachable"


@pytest.mark.parametrize(
    "findings", [[7], [{}], ["x"], [{"check": "CERT.FIELDS", "outcome": "INDETERMINATE", "expected": {"a": 1}}], {}, "tx 0x00"]
)
def test_a_verdict_of_odd_findings_asks_for_nothing(findings: Any) -> None:
    """What a jailed child answers is checked as to its sources, not finding by finding."""
    assert inquiries.unproven({"findings": findings}) == []


def test_answers_of_one_exhibit_are_verified_in_one_run(node: Listening) -> None:
    exhibit = considered(TXS[0], TXS[1])
    assert inquiries.work_once()
    assert Run.objects.filter(exhibit=exhibit).count() == 1, "the other question is about to be put"
    assert inquiries.work_once()
    run = Run.objects.get(exhibit=exhibit, number=2)
    assert run.obtained.count() == 7 and set(Inquiry.objects.values_list("led_to", flat=True)) == {run.pk}
    assert Run.objects.filter(exhibit=exhibit).count() == 2


def test_an_answer_does_not_wait_for_a_node_that_is_away(connect: Callable[..., None]) -> None:
    with Listening(replay(fisco3_results(CHAIN))) as gone:
        port = gone.port
    with Listening(replay(fisco3_results(CHAIN))) as server:
        connect(entry(server.port, id="court-a"), entry(port, id="court-b"))
        exhibit = considered()
        assert inquiries.work_once() and inquiries.work_once()
    assert dict(Inquiry.objects.values_list("node", "state")) == {"court-a": "answered", "court-b": "queued"}
    assert Run.objects.filter(exhibit=exhibit).count() == 2


def test_the_sweep_verifies_what_waited_in_vain(node: Listening) -> None:
    """The other question is never put (its node is pressed by others, no worker comes by): an hour is not lost over it."""
    exhibit = considered(TXS[0], TXS[1])
    assert inquiries.work_once()
    inquiries.sweep()
    assert Run.objects.filter(exhibit=exhibit).count() == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inquiries, "GATHERING", timedelta(0))
        inquiries.sweep()
        assert Run.objects.filter(exhibit=exhibit).count() == 2
        inquiries.sweep()
    assert Run.objects.filter(exhibit=exhibit).count() == 2


def test_runs_that_name_ever_more_transactions_come_to_an_end(node: Listening) -> None:
    txs = ["0x" + f"{n:02x}" * 32 for n in range(1, 12)]
    exhibit, run = unproven(*txs)
    for _ in range(4):
        with transaction.atomic():
            inquiries.consider(run.pk, bytes(run.verdict.document))
        while inquiries.work_once():
            pass
    assert Inquiry.objects.count() == inquiries.TRANSACTIONS_MAX
    assert Run.objects.filter(exhibit=exhibit).count() == 2


def test_a_bell_sets_off_the_worker_and_without_a_broker_the_turn_does(node: Listening) -> None:
    from evidence import worker
    from portal.celery import app

    considered()
    app.loader.import_default_modules()
    app.tasks[inquiries.TASK]()
    assert Inquiry.objects.get().state == "answered"
    considered(number=2)
    assert worker.turn() and worker.turn()  # the run of the first answer, and the question of the second
    assert set(Inquiry.objects.values_list("state", flat=True)) == {"answered"}
