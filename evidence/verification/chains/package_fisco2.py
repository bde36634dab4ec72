"""The members of a FISCO BCOS 2.x proof package -> what the FISCO reader takes (spec consortium-chains §9.3)."""

from collections.abc import Sequence

from ..codecs.text import CodecError
from ..reasons import Reason
from ..registry import Context
from ..verdict import Examination, Finding
from . import fisco2, ladder, node_answers
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
                hash=package.hash,
                signature=package.signature,
                pre_images=package.pre_images,
                engine=package.engine,
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
            ((package.name, answer) for answer in answers if answer is not None), family=fisco2.READERS
        )
        findings += found.findings
        proofs += fisco2.proofs_of(found, context=context, claimed=claimed)
    return Examination(findings=tuple(findings), proofs=tuple(proofs))
