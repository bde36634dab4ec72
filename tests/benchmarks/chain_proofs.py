"""How long does a chain proof take? Each family beside what its signatures alone cost, in the engine and in a peer.

Goals of spec consortium-chains §11: one package without SM2 within 10 ms, 100 SM2 signatures within 0.2 s. Not a test.
"""

import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from evidence.verification import Exhibit, Source, TrustStore
from evidence.verification.chains import fisco3 as fisco3_engine
from evidence.verification.chains import proof_package
from evidence.verification.keys import sm2
from evidence.verification.registry import Context, Format, Role
from portal.demonstration import fisco3

AT = datetime(2026, 11, 22, tzinfo=UTC)
PAGE = b"a page"
REPEATS = 20


def measure() -> list[str]:
    return [*fisco_lines(), *sm2_lines()]


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
    return Context(exhibit, TrustStore.empty(), AT, {s: formats.get(s.name, unknown) for s in exhibit.sources})


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
        name, goal = ("gmalg", "no goal") if suite == "SM" else ("cryptography, which recovers no key", "goal 10 ms")
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
    from evidence.verification.chains.fisco3_finality import ECDSA, GUOMI, signer

    for key, signature, digest in signed(chain):
        if signer(signature, digest, suite=GUOMI if chain.suite.name == "SM" else ECDSA) != key:
            raise SystemExit("the engine refuses a signature of the demonstration chain")


def signatures_by_peer(chain: fisco3.Built) -> None:
    for key, signature, digest in signed(chain):
        if chain.suite.name == "SM":
            import gmalg

            ok = gmalg.SM2(uid=fisco3.SM2_UID, pk=b"\x04" + key).verify(digest, signature[:32], signature[32:64])
        else:
            from evidence.verification.keys import ecdsa

            r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
            ok = ecdsa.verify_digest(key, r, s, digest, curve="secp256k1")
        if not ok:
            raise SystemExit("the peer refuses a signature of the demonstration chain")


def sm2_lines() -> list[str]:
    chain = fisco3.build([hashlib.sha256(PAGE).digest()], suite="SM", others=0)
    key, signature, digest = signed(chain)[0]
    numbers = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])

    def hundred() -> None:
        if not all(sm2.verify(key, numbers, digest) for _ in range(100)):
            raise SystemExit("SM2 refuses a signature of the demonstration chain")

    return [f"100 SM2 signatures: {best(hundred, repeats=3):.0f} ms (goal 200 ms)"]
