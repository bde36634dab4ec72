"""链上证明包, the proof package of a platform, version 1 (spec consortium-chains §9).

A package wraps the node's raw answers and says whose files they speak of. It is unwrapped here: what it states is compared
with the files, the answers go to the family's own reader. Every statement in it (the chain, its algorithms, its genesis, the
digests) is a claim; several packages of one exhibit are examined together.
"""

from collections.abc import Callable, Mapping, Sequence

from ..certificates import matching
from ..codecs.strict_json import JsonError
from ..codecs.text import CodecError
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..verdict import Bearing, Examination, Finding, passed
from .package_envelope import (
    FAMILIES,
    FORMAT,
    TEXT_MAX,
    Package,
    PackageError,
    PackageLimit,
    hashes,
    read,
    unreadable,
)

READ = "PACKAGE.READ"
LOOK_BYTES = 64 << 10
"""Bytes of head and tail in which a package is recognised."""


def sniff(source: Source) -> int:
    """A JSON object that names the format, wherever it stands in the first or last bytes."""
    head = source.head(LOOK_BYTES)
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return 0
    return 95 if f'"{FORMAT}"'.encode() in head + source.tail(LOOK_BYTES) else 0


def examine(sources: Sequence[Source], context: Context) -> Examination:
    findings: list[Finding] = []
    packages: list[Package] = []
    for source in sources:
        try:
            packages.append(read(source))
        except PackageLimit as fault:
            findings.append(unreadable(Reason.RESOURCE_LIMIT, source.name, str(fault)))
        except (PackageError, CodecError, JsonError) as fault:
            findings.append(unreadable(Reason.FORMAT_FAILURE, source.name, str(fault)))
    claimed = [f for c in context.claims for f in c.files]
    stated = matching.stated([f for p in packages for f in p.evidence] + claimed, context.content)
    spoken_of = stated | context.spoken_of
    for package in packages:
        notes = (f"UNREAD_MEMBERS:{', '.join(package.unread)[:TEXT_MAX]}",) if package.unread else ()
        findings.append(passed(READ, package.name, actual=package.family, notes=notes, bearing=Bearing.ADVISORY))
        findings += [
            finding
            for _, finding in matching.compare(
                package.evidence,
                content=context.content,
                stated_by=package.name,
                objects=range(len(package.evidence)),
                unknown={},
                spoken_of=spoken_of,
            )
        ]
    parts = [Examination(findings=tuple(findings))]
    for family in FAMILIES:
        of_family = [p for p in packages if p.family == family]
        if of_family:
            reader = _READERS.get(family)
            parts.append(reader(of_family, context) if reader else _unsupported(of_family))
    return Examination(
        findings=tuple(f for p in parts for f in p.findings),
        proofs=tuple(proof for p in parts for proof in p.proofs),
    )


def _unsupported(packages: Sequence[Package]) -> Examination:
    return Examination(
        findings=tuple(unreadable(Reason.UNSUPPORTED_FORMAT, p.name, f"family {p.family}") for p in packages)
    )


# ── FISCO BCOS 3.x (§9.4) ──────────────────────────────────────────────────────────────────────────────────────────────


def _fisco3(packages: Sequence[Package], context: Context) -> Examination:
    from . import fisco3, fisco3_records, ladder
    from .fisco3_rungs import Claimed

    findings: list[Finding] = []
    proofs: list[ladder.Proof] = []
    for package in packages:
        nodes = [(package.name, package.body.get(n)) for n in ("transaction", "receipt", "header")]
        nodes += [(package.name, link) for link in package.links]
        answers = [(name, fisco3_records.unwrap(node)) for name, node in nodes if node is not None]
        try:
            claimed = Claimed(
                chain_id=package.chain_id,
                group_id=package.group_id,
                genesis_hash=package.genesis_hash,
                tx_hashes=hashes(package.body, "tx_hashes"),
                receipt_hashes=hashes(package.body, "receipt_hashes"),
                hash=package.hash,
                signature=package.signature,
                pre_images=package.pre_images,
            )
            if any(answer is None for _, answer in answers):
                raise PackageError("a node's answer that is not an object")
        except PackageLimit as fault:
            findings.append(unreadable(Reason.RESOURCE_LIMIT, package.name, str(fault)))
            continue
        except (PackageError, CodecError) as fault:
            findings.append(unreadable(Reason.FORMAT_FAILURE, package.name, str(fault)))
            continue
        found = fisco3.records((name, answer) for name, answer in answers if answer is not None)
        findings += found.findings
        proofs += fisco3.proofs_of(found, context=context, claimed=claimed)
    return Examination(findings=tuple(findings), proofs=tuple(proofs))


def _chainmaker(packages: Sequence[Package], context: Context) -> Examination:
    from . import package_chainmaker

    return package_chainmaker.examine(packages, context)


_READERS: Mapping[str, Callable[[Sequence[Package], Context], Examination]] = {
    "chainmaker": _chainmaker,
    "fisco3": _fisco3,
}
"""Families whose proofs the engine verifies; the others are told to be unsupported."""
