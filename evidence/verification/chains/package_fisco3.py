"""The members of a FISCO BCOS 3.x proof package -> what the FISCO reader takes (spec consortium-chains §9.4)."""

from collections.abc import Sequence

from ..codecs.text import CodecError, hex_bytes
from ..reasons import Reason
from ..registry import Context
from ..verdict import Examination, Finding
from . import ethereum_transaction, fisco3, ladder, node_answers
from .claimed import Claimed
from .node_json import unwrap
from .package_envelope import Package, PackageError, PackageLimit, hashes


def examine(packages: Sequence[Package], context: Context) -> Examination:
    """Each package by itself: what one of them states is not data of another."""
    findings: list[Finding] = []
    proofs: list[ladder.Proof] = []
    for package in packages:
        try:
            nodes = [package.body.get(n) for n in ("transaction", "receipt", "header")]
            answers = [unwrap(node) for node in (*nodes, *package.links) if node is not None]
            claimed = Claimed(
                chain_id=package.chain_id,
                group_id=package.group_id,
                genesis_hash=package.genesis_hash,
                tx_hashes=hashes(package.body, "tx_hashes"),
                receipt_hashes=hashes(package.body, "receipt_hashes"),
                hash=package.hash,
                signature=package.signature,
                pre_images=package.pre_images,
                engine=package.engine,
                raw_tx=_raw(package),
            )
            if any(answer is None for answer in answers):
                raise PackageError("a node's answer that is not an object")
        except PackageLimit as fault:
            findings.append(package.unread_because(Reason.RESOURCE_LIMIT, str(fault)))
            continue
        except (PackageError, CodecError) as fault:
            findings.append(package.unread_because(Reason.FORMAT_FAILURE, str(fault)))
            continue
        found = node_answers.records(
            ((package.name, answer) for answer in answers if answer is not None), family=fisco3.READERS
        )
        findings += found.findings
        proofs += fisco3.proofs_of(found, context=context, claimed=claimed)
    return Examination(findings=tuple(findings), proofs=tuple(proofs))


def _raw(package: Package) -> bytes | None:
    """`raw_tx`: a signed Ethereum transaction as plain hex."""
    found = package.body.get("raw_tx")
    if found is None:
        return None
    if not isinstance(found, str) or not found:
        raise PackageError("raw_tx is not hex")
    if len(found) > 2 * ethereum_transaction.BYTES_MAX:
        raise PackageLimit("raw_tx")
    return hex_bytes(found)
