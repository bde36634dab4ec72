"""The connectors against real answers of FISCO BCOS nodes: what a real node says is taken, handed over byte for byte, and read.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from evidence.connectors import handover
from evidence.connectors.fetching import fetch
from evidence.verification.exhibit import Exhibit, Source
from evidence.verification.registry import recognise
from tests.evidence.connectors.node_servers import Listening, body, http, node

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors") / "consortium"

if not VECTORS.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

THREE = [
    ("ClientWrapperTxVerifyMock.transactionAndProofJson", "ClientWrapperTxVerifyMock.transactionReceiptAndProofJson", "ClientWrapperTxVerifyMock.blockJson"),
    ("ProofVerifierUtilityTest.transactionAndProofJson", "ProofVerifierUtilityTest.transactionReceiptAndProofJson", "ProofVerifierUtilityTest.blockJson"),
    ("ProofVerifierUtilityTest.transactionAndProofJson0", "ProofVerifierUtilityTest.transactionReceiptAndProofJson0", "ProofVerifierUtilityTest.blockJson0"),
]
TWO = THREE[1:]


@pytest.mark.parametrize(("family", "names"), [*(("fisco3", n) for n in THREE), *(("fisco2", n) for n in TWO)])
def test_real_answers_come_through(family: str, names: tuple[str, str, str]) -> None:
    said = [(VECTORS / family / f"{name}.json").read_bytes() for name in names]
    first = json.loads(said[0])
    tx = str((first["transaction"] if family == "fisco2" else first)["hash"])
    sent: list[bytes] = []

    def script(connection: socket.socket, request: bytes) -> None:
        asked: dict[str, Any] = body(request)
        which = 0 if asked["method"].startswith("getTransaction") and "Receipt" not in asked["method"] else 1
        which = 2 if asked["method"].startswith("getBlock") else which
        # The node's own text in its envelope, untouched.
        sent.append(b'{"id":1,"jsonrpc":"2.0","result":' + said[which] + b"}")
        connection.sendall(http(sent[-1]))

    with Listening(script) as server:
        fetched = fetch(node(server.port, family=family, group_id="1" if family == "fisco2" else "group0"), tx, record=lambda e: None)
    assert [a.data for a in fetched.answers] == sent and len(sent) == 3
    handover.readable(fetched.answers)
    exhibit = Exhibit.of(Source.from_bytes(a.name, a.data) for a in fetched.answers)
    assert {f.name for f in recognise(exhibit)[0].values()} == {family}
    exhibit.close()
