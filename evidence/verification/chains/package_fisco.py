"""The members of a FISCO BCOS proof package, 2.x or 3.x -> what the family's reader takes (spec consortium-chains §9.3, §9.4)."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ..codecs.text import CodecError, hex_bytes
from ..reasons import Reason
from ..registry import Context
from ..verdict import Examination, Finding
from . import ethereum_transaction, fisco2, fisco3, ladder, node_answers
from .claimed import Claimed
from .node_json import unwrap
from .package_envelope import Package, PackageError, PackageLimit, hashes

_Answers: TypeAlias = Sequence[tuple[str, Mapping[str, Any]]]
_Found: TypeAlias = tuple[Sequence[Finding], Sequence[ladder.Proof]]


def examine(packages: Sequence[Package], context: Context) -> Examination:
    """Packages of either family, each by itself: what one of them states is not data of another. Members that a family does not have
    were refused with the envelope."""
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
        read = [(package.name, answer) for answer in answers if answer is not None]
        told, climbed = (_fisco2 if package.family == "fisco2" else _fisco3)(read, context, claimed)
        findings += told
        proofs += climbed
    return Examination(findings=tuple(findings), proofs=tuple(proofs))


def _fisco2(read: _Answers, context: Context, claimed: Claimed) -> _Found:
    found = node_answers.records(read, family=fisco2.READERS)
    return found.findings, fisco2.proofs_of(found, context=context, claimed=claimed)


def _fisco3(read: _Answers, context: Context, claimed: Claimed) -> _Found:
    found = node_answers.records(read, family=fisco3.READERS)
    return found.findings, fisco3.proofs_of(found, context=context, claimed=claimed)


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
