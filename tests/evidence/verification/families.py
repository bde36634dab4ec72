"""One good exhibit of every chain family, in one trust store: what attacks between the families begin with."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from evidence.verification import TrustStore
from portal.demonstration.fisco3 import package as fisco3_package
from tests.anchor_packs import write_pack
from tests.evidence.verification import chainmaker_exhibits as cm
from tests.evidence.verification import fabric_exhibits as fabric
from tests.evidence.verification import fisco2_exhibits as fisco2
from tests.evidence.verification import fisco3_exhibits as fisco3
from tests.evidence.verification import xuperchain_exhibits as xuper
from tests.evidence.verification.attacked import sha256
from tests.evidence.verification.chainmaker_exhibits import PAGE

Files = dict[str, bytes]


@cache
def fabric_chain() -> fabric.Chain:
    return fabric.bft()


@cache
def fisco2_chain() -> fisco2.Built:
    return fisco2.build([bytes.fromhex(sha256(PAGE))], others=3)


def pinned() -> dict[str, dict[str, Any]]:
    """The five chains as a court pins them, by folder of the pack."""
    chain = cm.built()
    f3, f2, xc = fisco3.built(), fisco2_chain(), xuper.built()
    return {
        "a": {"profile": chain.profile, "validators": chain.validators},
        "b": {"profile": f3.profile, "validators": f3.validators},
        "c": {"profile": f2.profile, "validators": f2.validators},
        "d": {"profile": xuper.profile(xc), "validators": xuper.validators(xc)},
        "e": {"profile": fabric_chain().network.profile, "validators": {"epochs": [], "org_roots": []}},
    }


def store(change: Callable[[dict[str, dict[str, Any]]], object] = lambda _: None, **options: Any) -> TrustStore:
    chains = json.loads(json.dumps(pinned()))
    change(chains)
    with tempfile.TemporaryDirectory() as folder:
        return TrustStore.load(write_pack(Path(folder) / "pack", chains=chains, **options))


@cache
def whole_store() -> TrustStore:
    return store()


def proofs() -> dict[str, Files]:
    """The proof of PAGE on each chain, without PAGE, under names that no other family uses."""
    xc = xuper.built()
    xc_block = {k: v for k, v in xc.block.items() if k != "transactions"}
    of_package = fisco3_package(fisco3.built(), [("page.html", "SHA-256", bytes.fromhex(sha256(PAGE)))])
    made: dict[str, Files] = {
        "chainmaker": {n: d for n, d in cm.files(cm.built()).items() if n != "page.html"},
        "fisco3": fisco3.files(fisco3.built(), page=None),
        "fisco2": fisco2_chain().files(page=None),
        "fabric": fabric.files(fabric_chain(), page=None),
        "fabric package": {"fabric.mjproof.json": fabric.package(fabric_chain())},
        "xuperchain": {
            "tx.pb": xuper.wire(xuper.TX, xc.tx),
            "block.pb": xuper.wire(xuper.BLOCK, xc_block),
            "next.pb": xuper.wire(xuper.BLOCK, xc.blocks[1]),
        },
        "xuperchain package": {"xuper.mjproof.json": json.dumps(xc.package()).encode()},
        "fisco3 package": {"fisco3.mjproof.json": json.dumps(of_package).encode()},
    }
    return {family: {f"{family} {name}": data for name, data in given.items()} for family, given in made.items()}


def merged(parts: Sequence[Mapping[str, bytes]]) -> Files:
    return {name: data for part in parts for name, data in part.items()}
