"""From a certificate with nothing but a transaction id to 核验一致: the court's node is asked, and what it says is verified.

The real queue, the real jail, the real vault; the node answers with what the independent builders made.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from pytest_django.fixtures import Settings

from evidence.connectors import inquiries
from evidence.connectors.models import Exchange, Inquiry, Obtained
from evidence.exhibits.models import Exhibit
from evidence.reports import custody, document
from evidence.runs import given, queue, working
from evidence.runs.models import Run, RunSource
from portal.demonstration import chainmaker, fisco3
from portal.ledger.models import Detail
from portal.vault import Vault
from tests.anchor_packs import write_pack
from tests.evidence.runs import court
from tests.evidence.verification import fisco2_exhibits
from tests.evidence.verification import fisco3_exhibits as block

from .node_servers import Listening, configuration, entry, fisco3_results, grpc_node, identity, replay
from .test_grpc import honest

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]
CHAIN = block.built()
TX = str(CHAIN.transactions[0]["hash"])
F2 = fisco2_exhibits.built()
CM = chainmaker.build_block([hashlib.sha256(block.PAGE).digest()], suite="P256")


@pytest.fixture(autouse=True)
def quiet_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiries, "ring", lambda task: False)
    monkeypatch.setattr(queue, "ring", lambda task, pk: False)


@pytest.fixture(autouse=True)
def vault(settings: Settings, tmp_path: Path) -> Vault:
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"
    settings.PORTAL_CONNECTORS = ""
    chains = {
        "fisco": {"profile": CHAIN.profile, "validators": CHAIN.validators},
        "chainmaker": {"profile": CM.profile, "validators": CM.validators},
        "fisco2": {"profile": F2.profile, "validators": F2.validators},
    }
    settings.PORTAL_TRUST_DIR = write_pack(tmp_path / "pack", chains=chains)
    return Vault(settings.PORTAL_VAULT_DIR)


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


def certificate(tx: str = TX, *, content: bytes = block.PAGE, digest: bool = True) -> bytes:
    stated = {"文件哈希": hashlib.sha256(content).hexdigest(), "哈希算法": "SHA-256"} if digest else {}
    return json.dumps({"平台": "demo-platform", "存证编号": "DEMO-1", "交易哈希": tx, **stated}, ensure_ascii=False).encode()


def filed(vault: Vault, files: Mapping[str, bytes] | None = None) -> Exhibit:
    user = court.person("plaintiff")
    exhibit = court.exhibit(court.case(), user, vault, dict(files or {"page.html": block.PAGE, "certificate.json": certificate()}))
    with transaction.atomic():
        queue.request(exhibit, by=user)
    return exhibit


def verify(exhibit: Exhibit) -> dict[str, Any]:
    assert working.work_once()
    run = Run.objects.filter(exhibit=exhibit).order_by("-number").first()
    assert run is not None
    verdict: dict[str, Any] = json.loads(bytes(run.verdict.document))
    return verdict


def online(verdict: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    return [(f["outcome"], f["reason"]) for f in verdict["findings"] if f["check"] == "INCL.ONLINE" and "COURT_NODE" in f["notes"]]


# ── the way through ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("digest", [True, False])
def test_a_transaction_id_becomes_a_proof(vault: Vault, node: Listening, digest: bool) -> None:
    exhibit = filed(vault, {"page.html": block.PAGE, "certificate.json": certificate(digest=digest)})
    files = list(exhibit.files.values())

    first = verify(exhibit)
    assert first["overall"] == "INDETERMINATE"
    inquiry = Inquiry.objects.get()
    assert (inquiry.state, inquiry.tx_id, inquiry.node, inquiry.requested_by) == ("queued", TX, "court-fisco", None)
    assert node.connections == 0, "the worker asks in a turn of its own"

    assert inquiries.work_once()
    inquiry.refresh_from_db()
    assert (inquiry.state, inquiry.tries, inquiry.fault) == ("answered", 1, "")
    assert inquiry.led_to is not None and inquiry.led_to.state == Run.State.QUEUED

    second = verify(exhibit)
    assert (second["overall"], second["grade"]) == ("CONSISTENT", "B"), second["reasons"]
    assert online(second) == [("PASSED", None)]
    names = [s["name"] for s in second["sources"]]
    assert names == sorted(["page.html", "certificate.json", "court-node/manifest.json", *(f"court-node/court-fisco/{TX}/{n}.json" for n in ("block", "receipt", "transaction"))])
    assert [s["format"] for s in second["sources"] if s["name"].startswith("court-node/court-fisco")] == ["fisco3"] * 3

    # The exhibit is what it was; the answers stand in the archive under the digests of the verdict.
    assert list(exhibit.files.values()) == files
    archived = {e.answer_sha256 for e in Exchange.objects.all()}
    assert archived == {s["sha256"] for s in second["sources"] if s["format"] == "fisco3"}
    for exchange in Exchange.objects.all():
        assert (exchange.outcome, exchange.host, exchange.address, exchange.status) == ("answered", "127.0.0.1", "127.0.0.1", "HTTP 200")
        assert vault.path(exchange.request_sha256).read_bytes() in [r.partition(b"\r\n\r\n")[2] for r in node.requests]
        assert vault.path(exchange.answer_sha256).stat().st_size == exchange.answer_size
    acts = [(d.act, json.loads(d.params)) for d in Detail.objects.order_by("pk") if d.act.startswith("node.")]
    assert [a for a, _ in acts] == ["node.ask", "node.exchange", "node.exchange", "node.exchange", "node.answer"]
    assert acts[-1][1]["outcome"] == "answered"
    assert set(Detail.objects.filter(act="node.exchange").values_list("subject", flat=True)) == archived

    # The report names them apart from the files, with the host and the time; the acts stand in the custody.
    run = Run.objects.get(number=2)
    item = document.item(run.verdict, passed_max=50, until=run.verdict.at)
    assert [f.name for f in item.files] == ["page.html", "certificate.json"]
    assert {(o.name.rpartition("/")[2], o.host, o.at is not None) for o in item.obtained} == {
        ("manifest.json", None, False),
        *((f"{n}.json", "127.0.0.1", True) for n in ("block", "receipt", "transaction")),
    }
    told = {e.act for e in custody.events(exhibit.case, [exhibit], report="-", until=timezone.now())}
    assert {"node.ask", "node.exchange", "node.answer"} <= told

    # Nothing more is asked by itself, and a verification once more knows no less.
    assert not inquiries.work_once()
    with transaction.atomic():
        queue.request(exhibit, by=None)
    assert verify(exhibit)["overall"] == "CONSISTENT"
    assert Inquiry.objects.count() == 1 and node.connections == 3


def test_the_same_over_grpc_with_a_certificate_of_the_node(vault: Vault, connect: Callable[..., None], tmp_path: Path) -> None:
    public, secret = identity(tmp_path / "node", name="chainmaker.org")
    identity(tmp_path / "member", name="client1.sign.court")
    member = {"org_id": "court", "kind": "certificate", "certificate": "member/certificate.pem", "key": "member/key.pem"}
    with grpc_node(honest(CM), credentials=(public, secret)) as port:
        connect(
            entry(
                port,
                id="court-chain",
                family="chainmaker",
                url=f"grpcs://127.0.0.1:{port}",
                group_id="",
                chain_id="demonstration-chain",
                tls_name="chainmaker.org",
                ca="node/certificate.pem",
                member=member,
            )
        )
        exhibit = filed(vault, {"page.html": block.PAGE, "certificate.json": certificate(CM.tx_ids[0])})
        assert verify(exhibit)["overall"] == "INDETERMINATE"
        assert inquiries.work_once()
    second = verify(exhibit)
    assert (second["overall"], second["grade"]) == ("CONSISTENT", "B"), second["reasons"]
    assert Exchange.objects.get().certificate_sha256


def fisco2_results(method: str, parameters: list[Any]) -> object:
    """What an honest FISCO BCOS 2 node says: group as a number, height as hexadecimal text."""
    assert parameters[0] == 1
    if method == "getBlockHeaderByNumber":
        assert parameters[1:] == [hex(F2.header["number"]), True]
        return F2.header
    index = next((i for i, t in enumerate(F2.bodies) if t["hash"] == parameters[1]), None)
    if index is None:
        return None
    return {"getTransactionByHashWithProof": F2.transaction, "getTransactionReceiptByHashWithProof": F2.receipt}[method](index)


def test_the_same_of_a_fisco_2_node(vault: Vault, connect: Callable[..., None]) -> None:
    with Listening(replay(fisco2_results)) as server:
        connect(entry(server.port, id="court-two", family="fisco2", chain_id="1", group_id="1"))
        exhibit = filed(vault, {"page.html": block.PAGE, "certificate.json": certificate(str(F2.bodies[0]["hash"]))})
        assert verify(exhibit)["overall"] == "INDETERMINATE"
        assert inquiries.work_once()
    second = verify(exhibit)
    assert (second["overall"], second["grade"]) == ("CONSISTENT", "B"), second["reasons"]
    assert {s["format"] for s in second["sources"] if s["name"].startswith("court-node/court-two")} == {"fisco2"}


def test_anybody_gets_the_same_bytes_offline(vault: Vault, node: Listening, tmp_path: Path, settings: Settings) -> None:
    """Rule 4: the sources of the run, under their labels, and `python -m evidence.verification` — no network, no database."""
    exhibit = filed(vault)
    verify(exhibit)
    inquiries.work_once()
    verify(exhibit)
    run = Run.objects.order_by("-number")[0]
    folder = tmp_path / "exported"
    for source in given.sources(run.pk):
        path = folder / source.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(vault.path(source.sha256).read_bytes())
    stored = bytes(run.verdict.document)
    command = [sys.executable, "-m", "evidence.verification", "--json", "--trust", str(settings.PORTAL_TRUST_DIR)]
    command += ["--at", json.loads(stored)["at"], str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, env={"PATH": os.environ["PATH"]}, check=False)
    assert (done.returncode, done.stdout.rstrip(b"\n")) == (0, stored), done.stderr


# ── nodes that lie: never 核验一致 on their word ────────────────────────────────────────────────────────────────────


def tampered(part: str, **changes: object) -> dict[str, object]:
    rows: dict[str, tuple[str, Any]] = {
        "transaction": ("getTransaction", CHAIN.transactions[0]),
        "receipt": ("getTransactionReceipt", CHAIN.receipts[0]),
        "block": ("getBlockByNumber", CHAIN.block),
    }
    method, row = rows[part]
    return {method: {**row, **changes}}


FORGED = fisco3.build([hashlib.sha256(b"forged").digest()], seed="attacker", number=CHAIN.block["number"])
LIES: dict[str, dict[str, object]] = {
    "a receipt that failed": tampered("receipt", status=15),
    "a receipt with another output": tampered("receipt", output="0x00"),
    "another input": tampered("transaction", input=CHAIN.transactions[1]["input"]),
    "another root": tampered("block", txsRoot="0x" + "11" * 32),
    "a block of other sealers": {"getBlockByNumber": FORGED.block},
    "two signatures of four": tampered("block", signatureList=CHAIN.block["signatureList"][:2]),
    "no signatures": tampered("block", signatureList=[]),
    "the path of another transaction": {
        **tampered("transaction", txProof=[*CHAIN.transactions[0]["txProof"][:-1], "11" * 32]),
        # With the hashes of all transactions the root is recomputed, whatever the path says.
        **tampered("block", transactions=[]),
    },
    "another chain": tampered("transaction", chainID="chain9"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_node_that_lies_proves_nothing(vault: Vault, connect: Callable[..., None], lie: str) -> None:
    """The court's own node is believed no more than a party: what it says goes up the ladder under the pinned validators."""
    with Listening(replay(fisco3_results(CHAIN, **LIES[lie]))) as server:
        connect(entry(server.port))
        exhibit = filed(vault)
        verify(exhibit)
        assert inquiries.work_once()
    if Run.objects.filter(exhibit=exhibit).count() == 1:
        return
    second = verify(exhibit)
    assert second["overall"] != "CONSISTENT"
    open_ = [f for f in second["findings"] if f["outcome"] != "PASSED" and f["check"].startswith("INCL.") and f["bearing"] != "ADVISORY"]
    assert open_, "the step that fails is named"


@pytest.mark.parametrize("lie", [{"getTransaction": CHAIN.transactions[1]}, {"getTransactionReceipt": CHAIN.receipts[1]}, {"getBlockByNumber": [1]}])
def test_an_answer_to_another_question_leaves_the_exhibit_as_it_was(vault: Vault, connect: Callable[..., None], lie: dict[str, object]) -> None:
    with Listening(replay(fisco3_results(CHAIN, **lie))) as server:
        connect(entry(server.port))
        exhibit = filed(vault)
        verify(exhibit)
        assert inquiries.work_once()
    assert Inquiry.objects.get().state == "unusable"
    assert Run.objects.filter(exhibit=exhibit).count() == 1
    assert Exchange.objects.filter(outcome="answered").exists(), "what it said is kept all the same"


def test_a_file_that_was_changed_after_it_was_recorded(vault: Vault, node: Listening) -> None:
    """The node's answer can also refute: the transaction that the certificate names records another digest."""
    exhibit = filed(vault, {"page.html": b"changed", "certificate.json": certificate(content=b"changed")})
    assert verify(exhibit)["overall"] == "INDETERMINATE"
    inquiries.work_once()
    second = verify(exhibit)
    assert second["overall"] == "INCONSISTENT"
    assert online(second) == [("FAILED", "HASH_FAILURE")]


def test_validators_that_the_court_has_not_pinned(vault: Vault, connect: Callable[..., None]) -> None:
    page = hashlib.sha256(block.PAGE).digest()
    strange = fisco3.build([page], seed="attacker")
    with Listening(replay(fisco3_results(strange))) as server:
        connect(entry(server.port))
        exhibit = filed(vault, {"page.html": block.PAGE, "certificate.json": certificate(strange.tx_hash)})
        verify(exhibit)
        inquiries.work_once()
    assert verify(exhibit)["overall"] != "CONSISTENT"


def test_a_node_cannot_file_evidence(vault: Vault, connect: Callable[..., None]) -> None:
    """What the engine would read as anything but a proof is not handed in."""
    transaction_of = {"hash": TX, "transactionHash": TX, "blockNumber": 1}
    with Listening(replay(lambda method, _: {"number": 1} if method == "getBlockByNumber" else transaction_of)) as server:
        connect(entry(server.port))
        exhibit = filed(vault)
        verify(exhibit)
        inquiries.work_once()
    assert Inquiry.objects.get().state == "unusable"
    assert not RunSource.objects.exists()


# ── no such transaction, nobody there ────────────────────────────────────────────────────────────────────────────────


def test_no_such_transaction_is_said_and_proves_nothing(vault: Vault, node: Listening) -> None:
    exhibit = filed(vault, {"page.html": block.PAGE, "certificate.json": certificate("0x" + "77" * 32)})
    verify(exhibit)
    inquiries.work_once()
    assert Inquiry.objects.get().state == "absent"
    second = verify(exhibit)
    assert second["overall"] == "INDETERMINATE"
    assert online(second) == [("INDETERMINATE", "PLATFORM_NOT_FOUND")]


def test_a_node_that_is_away_is_asked_again_and_nothing_is_lost(vault: Vault, connect: Callable[..., None]) -> None:
    with Listening(replay(fisco3_results(CHAIN))) as server:
        port = server.port
    connect(entry(port))
    exhibit = filed(vault)
    verify(exhibit)
    assert inquiries.work_once()
    inquiry = Inquiry.objects.get()
    assert (inquiry.state, inquiry.tries) == ("queued", 1) and "refused" in inquiry.fault
    assert inquiry.due_at > timezone.now() + timedelta(seconds=20)
    assert not inquiries.work_once(), "not before its time"
    assert Run.objects.filter(exhibit=exhibit).count() == 1
    assert Exchange.objects.get().outcome == "unreachable"

    # It is back: the inquiry goes on where it was.
    with Listening(replay(fisco3_results(CHAIN))) as server:
        connect(entry(server.port))
        Inquiry.objects.update(due_at=timezone.now())
        assert inquiries.work_once()
    assert verify(exhibit)["overall"] == "CONSISTENT"


def test_a_node_that_stays_away_is_given_up_and_said_so(vault: Vault, connect: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiries, "TRIES_MAX", 2)
    with Listening(replay(fisco3_results(CHAIN))) as server:
        port = server.port
    connect(entry(port))
    exhibit = filed(vault)
    verify(exhibit)
    for _ in range(2):
        Inquiry.objects.update(due_at=timezone.now())
        assert inquiries.work_once()
    inquiry = Inquiry.objects.get()
    assert (inquiry.state, inquiry.tries) == ("unreachable", 2)
    assert Run.objects.filter(exhibit=exhibit).count() == 1, "silence is no reason to verify again"
    assert not inquiries.work_once()


# ── what starts an inquiry, and what does not ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("changes", [{"automatic": False}, {"enabled": False}])
def test_a_switch_that_is_off_asks_nothing(vault: Vault, connect: Callable[..., None], changes: dict[str, bool]) -> None:
    connect(entry(1, **changes))
    verify(filed(vault))
    assert not Inquiry.objects.exists()


def test_without_a_configuration_nothing_goes_out(vault: Vault) -> None:
    verify(filed(vault))
    assert not Inquiry.objects.exists() and not inquiries.work_once()


def test_a_broken_configuration_costs_no_verdict(vault: Vault, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "connectors.json").write_text("{")
    settings.PORTAL_CONNECTORS = str(tmp_path / "connectors.json")
    assert verify(filed(vault))["overall"] == "INDETERMINATE"
    assert not Inquiry.objects.exists()


def test_an_inquiry_that_cannot_be_opened_costs_no_verdict(vault: Vault, node: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiries, "record", lambda *a, **k: (_ for _ in ()).throw(DatabaseError("no ledger")))
    exhibit = filed(vault)
    assert verify(exhibit)["overall"] == "INDETERMINATE"
    assert not Inquiry.objects.exists()


def test_what_is_proven_or_names_nothing_starts_no_inquiry(vault: Vault, node: Listening) -> None:
    whole = {**block.files(CHAIN), "certificate.json": certificate()}
    assert verify(filed(vault, whole))["overall"] == "CONSISTENT"
    user = court.person("other")
    exhibit = court.exhibit(court.case(2), user, vault, {"page.html": block.PAGE})
    with transaction.atomic():
        queue.request(exhibit, by=user)
    verify(exhibit)
    assert not Inquiry.objects.exists()


def test_many_certificates_start_a_few_inquiries(vault: Vault, node: Listening) -> None:
    files = {f"certificate-{n}.json": certificate("0x" + f"{n:02x}" * 32) for n in range(1, 12)}
    verify(filed(vault, {"page.html": block.PAGE, **files}))
    assert Inquiry.objects.count() == inquiries.TRANSACTIONS_MAX


# ── a party that would like to speak for the court ───────────────────────────────────────────────────────────────────


def test_no_file_of_a_party_bears_a_name_of_the_courts(vault: Vault, node: Listening) -> None:
    """To see it fail: hand in the names as they came."""
    record = {
        "format": "mingjian.court-node",
        "version": 1,
        "inquiries": [{"node": "court-fisco", "tx_id": TX, "asked_at": "2026-11-22T00:00:00.000Z", "outcome": "ANSWERED"}],
    }
    names = ["court-node/manifest.json", "Court-Node/manifest.json", " court-node/manifest.json"]
    imitation = {name: json.dumps({**record, "n": n}).encode() for n, name in enumerate(names)}
    exhibit = filed(vault, {"page.html": block.PAGE, **imitation, "court-node/court-fisco/x/transaction.json": CHAIN.tx_json})
    verdict = verify(exhibit)
    assert verdict["overall"] != "CONSISTENT"
    assert online(verdict) == [] and "NODE.READ" not in {f["check"] for f in verdict["findings"]}
    assert not any("court-node/" in s["name"].lower() for s in verdict["sources"])
    assert "court-node" not in {s["format"] for s in verdict["sources"]}


def test_what_a_party_filed_under_such_a_name_never_collides_with_the_courts(vault: Vault, node: Listening) -> None:
    exhibit = filed(vault, {"court-node/manifest.json": block.PAGE, "certificate.json": certificate()})
    verify(exhibit)
    inquiries.work_once()
    second = verify(exhibit)
    assert second["overall"] == "CONSISTENT"
    assert [s["name"] for s in second["sources"] if "manifest" in s["name"]] == ["court-node/manifest.json", "court-node／manifest.json"]


# ── the record ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_asked_and_answered_is_only_ever_added(vault: Vault, node: Listening) -> None:
    verify(filed(vault))
    inquiries.work_once()
    inquiry = Inquiry.objects.get()
    run = Run.objects.get(number=2)
    attempts: list[Callable[[], object]] = [
        lambda: Exchange.objects.update(outcome="unusable"),
        lambda: Exchange.objects.all().delete(),
        lambda: Obtained.objects.update(sha256="0" * 64),
        lambda: Obtained.objects.all()._raw_delete("default"),  # type: ignore[attr-defined]
        lambda: RunSource.objects.update(sha256="0" * 64),
        lambda: RunSource.objects.all().delete(),
        lambda: Inquiry.objects.update(tx_id="0x00"),
        lambda: Inquiry.objects.update(state="queued"),
        lambda: Inquiry.objects.update(fault="x"),
        lambda: Inquiry.objects.update(led_to=None),
        lambda: Obtained.objects.create(inquiry=inquiry, position=9, name="x", size=1, sha256="0" * 64, sm3="0" * 64),
        lambda: RunSource.objects.create(run=Run.objects.get(number=1), position=1, name="court-node/x", size=1, sha256="0" * 64, sm3="0" * 64),
        lambda: RunSource.objects.create(run=run, position=99, name="page.html", size=1, sha256="0" * 64, sm3="0" * 64),
    ]
    for number, attempt in enumerate(attempts):
        with pytest.raises((DatabaseError, ProtectedError)), transaction.atomic():  # noqa: PT012
            attempt()
            pytest.fail(f"attempt {number} went through", pytrace=False)
