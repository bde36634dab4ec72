"""How many chain proofs does one core check in a second, and how much of that is signatures? One line per family.

A family is one package with one file, verified through the engine's only door, against a trust store that pins its validators. What the
engine keeps between runs is forgotten before each. The signatures alone are the floor: a proof cannot cost less. Not a test.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from evidence.verification import Exhibit, Source, TrustStore, verify
from evidence.verification.verdict import Overall

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REPEATS = 30


@dataclass(frozen=True)
class Measured:
    """`signatures`: checks each of them once; `forget`: empties whatever the family's modules keep."""

    files: Mapping[str, bytes]
    trust: TrustStore
    count: int
    signatures: Callable[[], object]
    forget: Callable[[], object]


def measure() -> list[str]:
    return [line(name, case()) for name, case in FAMILIES.items()]


def line(name: str, case: Measured) -> str:
    def proof() -> object:
        exhibit = Exhibit.of(Source.from_bytes(n, d) for n, d in case.files.items())
        try:
            return verify(exhibit, case.trust, AT).overall
        finally:
            exhibit.close()

    if proof() is not Overall.CONSISTENT:
        raise SystemExit(f"{name}: the exhibit to be measured is not CONSISTENT")
    whole = best(proof, case.forget)
    alone = best(case.signatures, case.forget)
    return (
        f"{name}: {whole:.2f} ms a proof, {1000 / whole:.0f} a second and core; "
        f"its {case.count} signatures alone {alone:.2f} ms, {100 * alone / whole:.0f} % of it"
    )


def best(run: Callable[[], object], forget: Callable[[], object]) -> float:
    """Milliseconds of the fastest of some runs, each with nothing kept."""
    fastest = float("inf")
    for _ in range(REPEATS):
        forget()
        begun = time.perf_counter()
        run()
        fastest = min(fastest, time.perf_counter() - begun)
    return fastest * 1000


# ── XuperChain ────────────────────────────────────────────────────────────────────────────────────────────────────────


def xuperchain(suite: str) -> Measured:
    """A call of version 3 in a block of five; votes of three of four validators in the next block."""
    from evidence.verification.chains import xuperchain_keys as keys
    from tests.evidence.verification import xuperchain_exhibits as x
    from tests.evidence.verification import xuperchain_network as network

    chain = x.built(suite)
    digest = network.double(network.preimage(chain.tx, signs=False))
    checks = [(s["PublicKey"], s["Sign"], digest) for n in ("initiator_signs", "auth_require_signs") for s in chain.tx[n]]
    checks += [(b["pubkey"].decode(), b["sign"], b["blockid"]) for b in chain.blocks[:2]]
    votes = chain.blocks[1]["Justify"]["SignInfos"]["QCSignInfos"]
    checks += [(v["PublicKey"], v["Sign"], chain.block["blockid"]) for v in votes]
    checks = sorted(set(checks))  # the proposer's vote is its signature of the block

    def signatures() -> None:
        for text, sign, signed in checks:
            key = keys.public_key(text)
            if key is None or not keys.signed(key, sign, signed):
                raise SystemExit("a signature of the exhibit to be measured does not hold")

    def forget() -> None:
        for kept in (keys._public_key, keys._body, keys._signed):
            kept.cache_clear()

    files = {"page.html": x.PAGE, "page.mjproof.json": json.dumps(chain.package()).encode()}
    return Measured(files, x.trust(chain), len(checks), signatures, forget)


# ── Hyperledger Fabric ────────────────────────────────────────────────────────────────────────────────────────────────


def fabric(bft: bool) -> Measured:
    """A call in a block of two, with the genesis block that says whose endorsers these are; one orderer, or three of four."""
    import hashlib

    from evidence.verification.chains import fabric_config, fabric_identity
    from tests.evidence.verification import fabric_exhibits as x

    chain = x.bft() if bft else x.built()
    network, record = chain.network, chain.records[0]
    block = network.signed(chain.block, 0, network.consenters[:3])
    nodes = [
        {"cert_sha256": hashlib.sha256(h.der).hexdigest(), "org": h.mspid, "operator": h.mspid, "role": "court"}
        for h in network.consenters
    ]
    trusted = x.trust(chain, epochs=[{"from_height": 0, "to_height": None, "validators": nodes}])
    signers = [*network.consenters[:3], network.client, *network.peers]
    checks = [(h.identity, h.sign(bytes([i])), hashlib.sha256(bytes([i])).digest()) for i, h in enumerate(signers)]

    def signatures() -> None:
        for identity, signature, digest in checks:
            who = fabric_identity.serialized(identity)
            if who is None or not fabric_identity.signed(who, signature, digest):
                raise SystemExit("a signature of the exhibit to be measured does not hold")

    def forget() -> None:
        for kept in (fabric_identity.identity, fabric_identity.signed, fabric_identity.standing, fabric_config.configuration):
            kept.cache_clear()

    packed = x.package(replace(chain, block=block), tx_id=record.id)
    return Measured({"page.html": x.PAGE, "page.mjproof.json": packed}, trusted, len(checks), signatures, forget)


# ── ChainMaker ────────────────────────────────────────────────────────────────────────────────────────────────────────


def chainmaker(suite: str, mode: str) -> Measured:
    """A record in a block of 500 with its path and three of four votes."""
    from evidence.verification.chains import chainmaker_members as members
    from portal.demonstration.chainmaker import Network
    from tests.evidence.verification import chainmaker_exhibits as x
    from tests.evidence.verification.test_proof_package import chainmaker_package

    chain = Network(suite=suite, mode=mode)
    records = [chain.record(chain.hash(b"%d" % i if i != x.MINE else x.PAGE), record_id=f"EV-{i}") for i in range(500)]
    block = chain.block(records)
    signers = [chain.client, chain.nodes[0], *(chain.nodes[i] for i in (0, 1, 3))]
    used = members.Suite(chain.hash_name)
    checks = [
        (members.Member("", s.key.spki, None, hash=s.certificate.signed_with if s.certificate else None), s.sign(m, chain.hash_name), m)
        for i, s in enumerate(signers)
        for m in (bytes([i]) * 300,)
    ]

    def signatures() -> None:
        if not all(members.signed(member, signature, message, used) for member, signature, message in checks):
            raise SystemExit("a signature of the exhibit to be measured does not hold")

    package = chainmaker_package(block, form="pb")
    files = {"page.html": x.PAGE, "page.mjproof.json": json.dumps(package).encode()}
    return Measured(files, x.trust(block), len(checks), signatures, members._with_certificate.cache_clear)


# ── FISCO BCOS ────────────────────────────────────────────────────────────────────────────────────────────────────────


def fisco2(suite: str) -> Measured:
    """A vote that reached the threshold in a block of 500, with its receipt, and three of four sealers."""
    import hashlib

    from evidence.verification.chains import fisco2_tree, sealers
    from tests.evidence.verification import fisco2_exhibits as x
    from tests.evidence.verification import fisco3_exhibits

    chain = x.build([hashlib.sha256(fisco3_exhibits.PAGE).digest()], suite=suite, others=499)
    body = chain.bodies[0]
    joined, signed = x.raw(body["signature"]["signature"]), chain.suite.hash(x.rlp(x.unsigned(body)))
    checks = [(x.raw(s["signature"]), x.raw(chain.header["hash"])) for s in chain.header["signatureList"]]
    checks.append((joined, signed))
    used = sealers.GUOMI if suite == "SM" else sealers.ECDSA

    def signatures() -> None:
        if not all(sealers.signer(signature, digest, suite=used) for signature, digest in checks):
            raise SystemExit("a signature of the exhibit to be measured does not hold")

    def forget() -> None:
        sealers.signer.cache_clear()
        fisco2_tree.root_of.cache_clear()

    packed = x.package(chain, [("page.html", "SHA-256", hashlib.sha256(fisco3_exhibits.PAGE).digest())])
    files = {"page.html": fisco3_exhibits.PAGE, "page.mjproof.json": json.dumps(packed).encode()}
    return Measured(files, fisco3_exhibits.trust(chain), len(checks), signatures, forget)


def fisco3(suite: str) -> Measured:
    """The same on version 3, in a block of 60: the builder makes the paths of all, which takes gmalg minutes for more."""
    import hashlib

    from evidence.verification import merkle
    from evidence.verification.chains import sealers
    from portal.demonstration import fisco3 as chains
    from tests.evidence.verification import fisco3_exhibits as x

    digest = hashlib.sha256(x.PAGE).digest()
    chain = chains.build([digest], suite=suite, others=59)
    checks = [(chains.raw(s["signature"]), chains.raw(chain.block["hash"])) for s in chain.block["signatureList"]]
    checks.append((chains.raw(chain.transactions[0]["signature"]), chains.raw(chain.tx_hash)))
    used = sealers.GUOMI if suite == "SM" else sealers.ECDSA

    def signatures() -> None:
        if not all(sealers.signer(signature, signed, suite=used) for signature, signed in checks):
            raise SystemExit("a signature of the exhibit to be measured does not hold")

    def forget() -> None:
        sealers.signer.cache_clear()
        merkle.grouped_root.cache_clear()

    packed = chains.package(chain, [("page.html", "SHA-256", digest)])
    del packed["header"]["transactions"]
    files = {"page.html": x.PAGE, "page.mjproof.json": json.dumps(packed).encode()}
    return Measured(files, x.trust(chain), len(checks), signatures, forget)


FAMILIES: Mapping[str, Callable[[], Measured]] = {
    "ChainMaker P-256, public keys": lambda: chainmaker("P256", "public_key"),
    "ChainMaker P-256, certificates": lambda: chainmaker("P256", "certificate"),
    "ChainMaker SM2, public keys": lambda: chainmaker("SM", "public_key"),
    "ChainMaker SM2, certificates": lambda: chainmaker("SM", "certificate"),
    "FISCO BCOS 2, ECDSA": lambda: fisco2("ECDSA"),
    "FISCO BCOS 2, guomi": lambda: fisco2("SM"),
    "FISCO BCOS 3, ECDSA": lambda: fisco3("ECDSA"),
    "FISCO BCOS 3, guomi": lambda: fisco3("SM"),
    "Fabric, one orderer": lambda: fabric(False),
    "Fabric, three of four orderers": lambda: fabric(True),
    "XuperChain P-256": lambda: xuperchain("P-256"),
    "XuperChain SM2": lambda: xuperchain("SM2-P-256"),
}

if __name__ == "__main__":
    print("\n".join(measure()))
