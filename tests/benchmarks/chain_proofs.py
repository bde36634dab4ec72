"""How long does a chain proof take? Each family beside what its signatures alone cost, in the engine and in a peer.

Goals of spec consortium-chains §11: one package without SM2 within 10 ms, 100 SM2 signatures within 0.2 s. Not a test.
"""

import hashlib
import importlib.util
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime

import gmalg

from evidence.verification import Exhibit, Source, TrustStore
from evidence.verification.chains import chainmaker as chainmaker_engine
from evidence.verification.chains import fisco3 as fisco3_engine
from evidence.verification.chains import proof_package
from evidence.verification.keys import sm2, sm2_openssl
from evidence.verification.registry import Context, Format, Role
from portal.demonstration import chainmaker, fisco3, signers

AT = datetime(2026, 11, 22, tzinfo=UTC)
PAGE = b"a page"
REPEATS = 20


def measure() -> list[str]:
    return [*chainmaker_lines(), *fisco_lines(), *sm2_lines()]


def best(run: Callable[[], object], *, repeats: int = REPEATS) -> float:
    """Milliseconds of the fastest of some runs."""
    fastest = float("inf")
    for _ in range(repeats):
        begun = time.perf_counter()
        run()
        fastest = min(fastest, time.perf_counter() - begun)
    return fastest * 1000


def context(files: dict[str, bytes], formats: dict[str, Format]) -> Context:
    unknown = Format("unknown", Role.CONTENT, "")
    exhibit = Exhibit.of(Source.from_bytes(name, data) for name, data in files.items())
    return Context(
        exhibit, TrustStore.empty(), AT, {s: formats.get(s.name, unknown) for s in exhibit.sources}
    )


# ── ChainMaker 2.x ─────────────────────────────────────────────────────────────────────────────────────────────────────


def chainmaker_lines() -> list[str]:
    """A transaction, its path and the block's header with votes, of a block of 500; and the whole block."""
    lines = []
    for suite in ("P256", "SM"):
        network = chainmaker.Network(suite=suite)
        records = [network.record(network.hash(PAGE), record_id="EV")]
        records += [network.record(network.hash(b"filler %d" % i), record_id=f"F-{i}") for i in range(499)]
        built = network.block(records)
        whole = json.loads(built.block_json)
        bare = json.dumps({"block": {k: whole["block"][k] for k in ("header", "additional_data")}}).encode()
        format_ = Format("chainmaker", Role.PROOF, "chains.chainmaker")
        parts = {"tx.json": built.info_json[0], "block.json": bare, "path.json": built.paths_json[0]}
        apart = context({"page": PAGE, **parts}, dict.fromkeys(parts, format_))
        block = context({"page": PAGE, "block.pb": built.block_pb}, {"block.pb": format_})
        proof = best(lambda apart=apart: chainmaker_engine.examine(apart.of("chainmaker"), apart))  # type: ignore[misc]
        all_500 = best(
            lambda block=block: chainmaker_engine.examine(block.of("chainmaker"), block), repeats=3
        )  # type: ignore[misc]
        signatures = chainmaker_signatures(network, built)
        alone = best(lambda signatures=signatures: engine_accepts(signatures))  # type: ignore[misc]
        peer = best(lambda signatures=signatures: peer_accepts(signatures), repeats=3)  # type: ignore[misc]
        name, goal = ("gmalg", "no goal") if suite == "SM" else ("cryptography", "goal 10 ms")
        lines += [
            f"ChainMaker {suite}: one proof {proof:.1f} ms = {1000 / proof:.0f} a second ({goal}); "
            f"recomputed from a block of 500 {all_500:.0f} ms",
            f"  its {len(signatures)} signatures alone {alone:.1f} ms = {alone / proof:.0%} of the proof; by {name} {peer:.1f} ms",
        ]
    return lines


Signature = tuple[signers.Key, bytes, bytes, str]
"""(key, message, DER signature, the chain's hash)."""


def chainmaker_signatures(network: chainmaker.Network, built: chainmaker.Built) -> list[Signature]:
    """Those the engine must check for one proof: sender, proposer, three votes. The messages are made up: only their cost counts."""
    keys = (network.client.key, network.nodes[0].key, *(network.nodes[i].key for i in (0, 1, 3)))
    messages = [bytes([i]) * 300 for i in range(len(keys))]
    return [
        (k, m, k.sign(m, network.hash_name), network.hash_name) for k, m in zip(keys, messages, strict=True)
    ]


def engine_accepts(signatures: list[Signature]) -> None:
    from evidence.verification.chains.chainmaker_members import Member, Suite
    from evidence.verification.chains.chainmaker_members import signed as accepted

    for key, message, signature, hash_name in signatures:
        if not accepted(Member("", key.spki, None), signature, message, Suite(hash_name)):
            raise SystemExit("the engine refuses a signature of the demonstration chain")


def peer_accepts(signatures: list[Signature]) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    for key, message, signature, _ in signatures:
        if key.kind == "SM2":
            import gmalg

            r, s = (v.to_bytes(32) for v in decode_dss_signature(signature))
            if not gmalg.SM2(uid=signers.SM2_UID, pk=b"\x04" + key.public).verify(message, r, s):
                raise SystemExit("the peer refuses a signature of the demonstration chain")
        else:
            point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key.public)
            point.verify(signature, message, ec.ECDSA(hashes.SHA256()))


# ── FISCO BCOS 3.x ─────────────────────────────────────────────────────────────────────────────────────────────────────


def fisco_lines() -> list[str]:
    lines = []
    for suite in ("ECDSA", "SM"):
        chain = fisco3.build([hashlib.sha256(PAGE).digest()], suite=suite, others=500)
        format_ = Format("fisco3", Role.PROOF, "chains.fisco3")
        apart = context({"page": PAGE, **chain.files()}, dict.fromkeys(chain.files(), format_))
        whole = best(lambda apart=apart: fisco3_engine.examine(apart.of("fisco3"), apart))  # type: ignore[misc]
        packed = fisco3.package(chain, [("page", "SHA-256", hashlib.sha256(PAGE).digest())])
        del packed["header"]["transactions"]
        inside = context(
            {"page": PAGE, "p.json": json.dumps(packed).encode()},
            {"p.json": Format("proof-package", Role.PROOF, "chains.proof_package")},
        )
        package = best(lambda inside=inside: proof_package.examine(inside.of("proof-package"), inside))  # type: ignore[misc]
        alone = best(lambda chain=chain: signatures_alone(chain))  # type: ignore[misc]
        peer = best(lambda chain=chain: signatures_by_peer(chain), repeats=3)  # type: ignore[misc]
        name, goal = (
            ("gmalg", "no goal") if suite == "SM" else ("cryptography, which recovers no key", "goal 10 ms")
        )
        lines += [
            f"FISCO 3 {suite}: block of 501, three files {whole:.1f} ms, one package {package:.1f} ms ({goal})",
            f"  its 4 signatures alone {alone:.1f} ms = {alone / package:.0%} of the package; by {name} {peer:.1f} ms",
        ]
    return lines


def signed(chain: fisco3.Built) -> list[tuple[bytes, bytes, bytes]]:
    """(key, signature, hash) of the sender and the three sealers."""
    block_hash = fisco3.raw(chain.block["hash"])
    found = [
        (chain.sealers[s["sealerIndex"]].public, fisco3.raw(s["signature"]), block_hash)
        for s in chain.block["signatureList"]
    ]
    sender = chain.suite.key("demonstration sender").public
    tx = chain.transactions[0]
    return [*found, (sender, fisco3.raw(tx["signature"]), fisco3.raw(tx["hash"]))]


def signatures_alone(chain: fisco3.Built) -> None:
    from evidence.verification.chains.sealers import ECDSA, GUOMI, signer

    for key, signature, digest in signed(chain):
        if signer(signature, digest, suite=GUOMI if chain.suite.name == "SM" else ECDSA) != key:
            raise SystemExit("the engine refuses a signature of the demonstration chain")


def signatures_by_peer(chain: fisco3.Built) -> None:
    for key, signature, digest in signed(chain):
        if chain.suite.name == "SM":
            import gmalg

            ok = gmalg.SM2(uid=fisco3.SM2_UID, pk=b"\x04" + key).verify(
                digest, signature[:32], signature[32:64]
            )
        else:
            from evidence.verification.keys import ecdsa

            r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
            ok = ecdsa.verify_digest(key, r, s, digest, curve="secp256k1")
        if not ok:
            raise SystemExit("the peer refuses a signature of the demonstration chain")


def sm2_lines() -> list[str]:
    """Goal: within twice OpenSSL's own time where it is there, and 2 ms in pure Python; gmssl beside them where it is installed."""
    chain = fisco3.build([hashlib.sha256(PAGE).digest()], suite="SM", others=0)
    key, signature, digest = signed(chain)[0]
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    point, e, library = sm2._point(key), sm2.message_digest(key, digest), sm2_openssl._library()
    if point is None:
        raise SystemExit("the demonstration's key is no point")
    ways: dict[str, Callable[[], bool]] = {"engine": lambda: sm2.verify(key, (r, s), digest)}
    ways["pure Python"] = lambda: sm2._holds(point, r, s, e)
    if library is not None:
        ways["libcrypto by ctypes"] = lambda: sm2_openssl._verify(library, key, r, s, e)
    if importlib.util.find_spec("gmssl"):
        from gmssl import sm2 as other

        peer = other.CryptSM2(private_key="", public_key=key.hex())
        ways["gmssl"] = lambda: bool(peer.verify(signature[:64].hex(), e))
    else:
        ways["gmalg"] = lambda: bool(gmalg.SM2(pk=b"\x04" + key, uid=sm2.DEFAULT_UID).verify(digest, signature[:32], signature[32:64]))
    for name, way in ways.items():
        if way() is not True:
            raise SystemExit(f"{name} refuses a signature of the demonstration chain")
    times = ", ".join(f"{name} {best(way):.2f} ms" for name, way in ways.items())
    return [f"one SM2 signature: {times}", f"OpenSSL's own: {openssl_speed()}"]


def openssl_speed() -> str:
    """What `openssl speed` says of SM2 on this machine at this moment."""
    if shutil.which("openssl") is None:
        return "not installed"
    command = ["openssl", "speed", "-mr", "-seconds", "1", "sm2"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"^\+F\d+:\d+:256:\w+:[\d.]+:([\d.]+)", said, re.MULTILINE)
    return f"{1000 / float(found[1]):.2f} ms" if found else "not told"
