"""The exporter of FISCO proof packages against a node that answers what our builders made; then the package against the engine."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from portal.demonstration import fisco3
from tests.anchor_packs import write_pack
from tests.evidence.verification import fisco2_exhibits as fisco2
from tests.evidence.verification import fisco3_exhibits

HOUSE = Path(__file__).resolve().parents[2]
PAGE = fisco3_exhibits.PAGE
Node = Callable[[str, list[Any]], Any]
SUITES = fisco3_exhibits.SUITES


@contextmanager
def served(node: Node) -> Iterator[tuple[str, list[str]]]:
    """The address of a node, and the methods that it was asked. A result of None is answered as an error."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(question["method"])
            result = node(question["method"], question["params"])
            answer: dict[str, Any] = {"jsonrpc": "2.0", "id": question["id"]}
            answer |= {"error": {"code": -1, "message": "not exist"}} if result is None else {"result": result}
            data = result if isinstance(result, bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def export(url: str, folder: Path, family: str, group: str, tx: str, *more: str) -> subprocess.CompletedProcess[str]:
    (folder / "page.html").write_bytes(PAGE)
    command = [
        sys.executable, "-I", str(HOUSE / "deploy" / "chain-proof-fisco"), "--node", url, "--family", family, "--group", group,
        "--tx", tx, "--file", "page.html", *more,
    ]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def verify(folder: Path, trust: str) -> tuple[int, dict[str, Any]]:
    command = [
        sys.executable, "-m", "evidence.verification", "--json", "--trust", trust, "--at", "2026-11-22T12:00:00Z",
        str(folder / "page.html"), str(folder / "page.html.mjproof.json"),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, check=False, timeout=60)
    return done.returncode, json.loads(done.stdout)


def pinned(folder: Path, chain: Any, **checkpoints: Any) -> str:
    parts = {"profile": chain.profile, "validators": chain.validators, **checkpoints}
    return str(write_pack(folder / "pack", chains={"chain": parts}))


def answers(verdict: dict[str, Any]) -> dict[str, str | None]:
    return {f["check"]: f["reason"] for f in verdict["findings"]}


# ── FISCO BCOS 2 ───────────────────────────────────────────────────────────────────────────────────────────────────────


def node2(chain: fisco2.Built, *, supported: str = "2.9.1", **changed: Any) -> Node:
    links = {fisco2.number(h["number"]): h for h in (chain.header, *chain.links)}

    def answer(method: str, parameters: list[Any]) -> Any:
        if method in changed:
            return changed[method]
        group = int(chain.profile["group_id"])
        assert parameters[:1] == ([] if method == "getClientVersion" else [group])
        match method:
            case "getClientVersion":
                return {"FISCO-BCOS Version": "2.9.1", "Supported Version": supported, "Chain Id": chain.profile["chain_id"]}
            case "getBlockHashByNumber":
                return "0x" + chain.profile["genesis_hash"]
            case "getTransactionByHashWithProof":
                return chain.transaction() if parameters[1] == chain.bodies[0]["hash"] else None
            case "getTransactionReceiptByHashWithProof":
                return chain.receipt() if parameters[1] == chain.bodies[0]["hash"] else None
            case "getBlockHeaderByNumber":
                header = dict(links[int(parameters[1], 16)])
                return header if parameters[2] else {k: v for k, v in header.items() if k != "signatureList"}
            case "getBlockByNumber":
                return {**chain.header, "transactions": [fisco2.hexed(h) for h in chain.tx_hashes]}
        raise AssertionError(method)

    return answer


@pytest.mark.parametrize("suite", SUITES)
def test_fisco2_package(suite: str, tmp_path: Path) -> None:
    chain = fisco2.built(suite)
    with served(node2(chain)) as (url, asked):
        done = export(
            url, tmp_path, "fisco2", "1", chain.bodies[0]["hash"], "--tx-hashes", "--contract", fisco2.CONTRACT, "--method",
            "voteSaveRequest(bytes32)",
        )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "page.html.mjproof.json"), done.stderr
    # Every call is shown, in its order.
    shown = [json.loads(line[2:])["method"] for line in done.stderr.splitlines() if line.startswith("→ ")]
    assert shown == asked and len(asked) == 6
    status, verdict = verify(tmp_path, pinned(tmp_path, chain))
    assert (status, verdict["overall"], verdict["grade"]) == (0, "CONSISTENT", "B")
    package = json.loads((tmp_path / "page.html.mjproof.json").read_bytes())
    assert package["chain"]["engine"] == "2.9.1"
    assert package["evidence"][0]["digest"] == hashlib.sha256(PAGE).hexdigest()
    assert package["transaction"] == chain.transaction() and package["header"] == chain.header
    # The producer's own test (spec §9.7): with nothing trusted, only what the court alone can pin is open.
    status, verdict = verify(tmp_path, "none")
    assert (status, verdict["overall"]) == (2, "INDETERMINATE")
    found = answers(verdict)
    for check in ("DIGEST.MATCH", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.EXECUTION"):
        assert found[check] is None, check
    assert found["INCL.LEDGER_KIND"] == found["INCL.NODE_QUORUM"] == "ANCHOR_UNTRUSTED"
    assert found["INCL.CONTENT"] == "CONTRACT_UNKNOWN"


def test_links_to_a_pinned_block(tmp_path: Path) -> None:
    chain = fisco2.built(links=2)
    with served(node2(chain)) as (url, _):
        assert export(url, tmp_path, "fisco2", "1", chain.bodies[0]["hash"], "--links-to", "1206").returncode == 0
    pin = {"height": 1206, "hash": chain.links[1]["hash"][2:], "recorded_at": "2026-10-01T00:00:00Z", "basis": "independent"}
    status, verdict = verify(tmp_path, pinned(tmp_path, chain, checkpoints={"checkpoints": [pin]}))
    assert (status, verdict["grade"]) == (0, "A")


def test_a_chain_that_runs_by_older_rules_is_named(tmp_path: Path) -> None:
    chain = fisco2.built()
    with served(node2(chain, supported="2.1.0")) as (url, _):
        assert export(url, tmp_path, "fisco2", "1", chain.bodies[0]["hash"]).returncode == 0
    status, verdict = verify(tmp_path, pinned(tmp_path, chain))
    assert status == 2
    assert answers(verdict)["INCL.PATH"] == "UNSUPPORTED_FORMAT"


def test_a_node_before_270_is_told(tmp_path: Path) -> None:
    chain = fisco2.built()
    short = chain.transaction()
    for name in ("blockLimit", "chainId", "groupId", "extraData", "signature"):
        del short["transaction"][name]
    with served(node2(chain, getTransactionByHashWithProof=short)) as (url, _):
        done = export(url, tmp_path, "fisco2", "1", chain.bodies[0]["hash"])
    assert done.returncode == 0 and "before 2.7.0" in done.stderr
    status, verdict = verify(tmp_path, pinned(tmp_path, chain))
    assert status == 2
    assert answers(verdict)["INCL.TRANSACTION"] == "TX_INCOMPLETE"


# ── FISCO BCOS 3 ───────────────────────────────────────────────────────────────────────────────────────────────────────


def node3(chain: fisco3.Built, receipts: list[dict[str, Any]] | None = None) -> Node:
    everything = receipts or []
    info = {"chainID": "demonstration0", "nodeList": [{"iniConfig": json.dumps({"binaryInfo": {"version": "3.8.0"}})}, {}]}

    def answer(method: str, parameters: list[Any]) -> Any:
        assert parameters[0] == "group0"
        match method:
            case "getGroupInfo":
                return info
            case "getBlockHashByNumber":
                return "0x" + chain.profile["genesis_hash"]
            case "getTransaction":
                return chain.transactions[0] if parameters[2] == chain.tx_hash else None
            case "getTransactionReceipt":
                return next((r for r in (chain.receipts[0], *everything) if r["transactionHash"] == parameters[2]), None)
            case "getBlockByNumber":
                return {k: v for k, v in chain.block.items() if k != "transactions" or not parameters[3]}
        raise AssertionError(method)

    return answer


@pytest.mark.parametrize("suite", SUITES)
def test_fisco3_package(suite: str, tmp_path: Path) -> None:
    chain = fisco3_exhibits.built(suite)
    with served(node3(chain)) as (url, asked):
        done = export(url, tmp_path, "fisco3", "group0", chain.tx_hash, "--tx-hashes")
    assert done.returncode == 0, done.stderr
    assert asked.count("getBlockByNumber") == 2
    status, verdict = verify(tmp_path, pinned(tmp_path, chain))
    assert (status, verdict["overall"], verdict["grade"]) == (0, "CONSISTENT", "B")
    package = json.loads((tmp_path / "page.html.mjproof.json").read_bytes())
    assert package["chain"]["engine"] == "3.8.0"


def test_an_old_chain_needs_the_list(tmp_path: Path) -> None:
    chain = fisco3.resealed(fisco3_exhibits.built(), version=0x03010000)
    with served(node3(chain)) as (url, _):
        assert export(url, tmp_path, "fisco3", "group0", chain.tx_hash).returncode == 0
    package = json.loads((tmp_path / "page.html.mjproof.json").read_bytes())
    assert package["tx_hashes"] == [h[2:] for h in chain.block["transactions"]]


def test_all_receipts_of_the_block(tmp_path: Path) -> None:
    """Equal receipts: the node's path leads to the first of them, the list of hashes binds the right one."""
    chain = fisco3_exhibits.built()
    others = [
        {"transactionHash": h, "hash": chain.receipts[1]["hash"] if i == 1 else "0x" + bytes([i]).hex() * 32}
        for i, h in enumerate(chain.block["transactions"])
        if i
    ]
    with served(node3(chain, others)) as (url, asked):
        assert export(url, tmp_path, "fisco3", "group0", chain.tx_hash, "--receipt-hashes").returncode == 0
    assert asked.count("getTransactionReceipt") == 1 + len(chain.block["transactions"])
    package = json.loads((tmp_path / "page.html.mjproof.json").read_bytes())
    assert package["receipt_hashes"][0] == chain.receipts[0]["hash"][2:]
    assert len(package["receipt_hashes"]) == len(package["tx_hashes"])


# ── what goes wrong ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_node_that_answers_something_else(tmp_path: Path) -> None:
    chain = fisco2.built()
    tx = chain.bodies[0]["hash"]
    wrong: list[dict[str, Any]] = [
        {"getTransactionByHashWithProof": chain.transaction(1)},
        {"getTransactionReceiptByHashWithProof": chain.receipt(1)},
        {"getTransactionByHashWithProof": None},
        {"getTransactionByHashWithProof": b"no JSON"},
        {"getTransactionByHashWithProof": b"[]"},
        {"getBlockHeaderByNumber": {**chain.header, "signatureList": []}},
        {"getBlockHashByNumber": "0x00"},
    ]
    for changed in wrong:
        with served(node2(chain, **changed)) as (url, _):
            done = export(url, tmp_path, "fisco2", "1", tx)
        assert done.returncode == 69, (changed, done.stderr)
        assert not (tmp_path / "page.html.mjproof.json").exists()
    assert export("http://127.0.0.1:9", tmp_path, "fisco2", "1", tx).returncode == 69


def test_wrong_use(tmp_path: Path) -> None:
    tx = "0x" + "00" * 32
    assert export("http://127.0.0.1:9", tmp_path, "fisco2", "group0", tx).returncode == 64
    assert export("http://127.0.0.1:9", tmp_path, "fisco4", "1", tx).returncode == 64
    assert export("http://127.0.0.1:9", tmp_path, "fisco2", "1", "0x00").returncode == 64
    assert export("file:///etc/passwd", tmp_path, "fisco2", "1", tx).returncode == 64
    assert export("http://127.0.0.1:9", tmp_path, "fisco2", "1", tx, "--contract", "0x00").returncode == 64
    assert export("http://127.0.0.1:9", tmp_path, "fisco2", "1", tx, "--file", "absent").returncode == 66


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    chain = fisco2.built()
    (tmp_path / "page.html.mjproof.json").write_text("before")
    with served(node2(chain)) as (url, _):
        assert export(url, tmp_path, "fisco2", "1", chain.bodies[0]["hash"]).returncode == 66
    assert (tmp_path / "page.html.mjproof.json").read_text() == "before"
