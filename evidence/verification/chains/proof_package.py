"""链上证明包, the proof package of a platform, version 1 (spec consortium-chains §9).

A package wraps the node's raw answers and says whose files they speak of. It is unwrapped here: what it states is compared
with the files, the answers go to the family's own reader. Every statement in it (the chain, its algorithms, its genesis, the
digests) is a claim; several packages of one exhibit are examined together.
"""

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import cast

from .. import selftest
from ..certificates import matching
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..timestamps import rfc3161
from ..verdict import Bearing, Examination, Finding, Walk, passed
from . import package_archive, package_seal
from .package_envelope import FAMILIES, FORMAT, TEXT_MAX, Package, PackageError, read, unreadable

READ = "PACKAGE.READ"
_NAMED = re.compile(rb'"format"\s*:\s*"' + FORMAT.encode() + rb'"')
LOOK_BYTES = 64 << 10
"""Bytes of head and tail in which a package is recognised."""


def sniff(source: Source) -> int:
    """A JSON object that names the format, wherever it stands in the first or last bytes; or an archive with such a package."""
    if package_archive.is_archive(source):
        return 95 if package_archive.names_format(source, FORMAT) else 0
    head = source.head(LOOK_BYTES)
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return 0
    return 95 if _NAMED.search(head) or _NAMED.search(source.tail(LOOK_BYTES)) else 0


def examine(sources: Sequence[Source], context: Context) -> Examination:
    findings: list[Finding] = []
    walks: list[Walk] = []
    packages: list[Package] = []
    for source in sources:
        try:
            packages.append(read(source, context.budget))
        except PackageError as fault:
            findings.append(unreadable(fault.reason, source.name, str(fault)))
    claimed = [f for c in context.claims for f in c.files]
    stated = matching.stated([f for p in packages for f in p.evidence] + claimed, context.content)
    # A time-stamp's file is proven by its time-stamp: a package that speaks of another file contradicts it in nothing.
    spoken_of = stated | context.spoken_of | rfc3161.stamped(context)
    for package in packages:
        notes = (f"UNREAD_MEMBERS:{', '.join(package.unread)[:TEXT_MAX]}",) if package.unread else ()
        findings.append(passed(READ, package.name, actual=package.family, notes=notes, bearing=Bearing.ADVISORY))
        pairs = list(
            matching.compare(
                package.evidence,
                content=context.content,
                stated_by=package.name,
                objects=range(len(package.evidence)),
                unknown={},
                spoken_of=spoken_of,
            )
        )
        findings += [finding for _, finding in pairs]
        if package.signed is not None:
            seal = package_seal.examine(*package.signed, subject=package.name, context=context)
            findings.append(seal)
            walks += [package_seal.walk(package.name, file, found, seal) for file, found in pairs]
    parts = [Examination(findings=tuple(findings), walks=tuple(walks))]
    for family in FAMILIES:
        of_family = [p for p in packages if p.family == family]
        if of_family:
            parts.append(_of_family(family, of_family, context))
    return Examination(
        findings=tuple(f for p in parts for f in p.findings),
        walks=tuple(w for p in parts for w in p.walks),
        proofs=tuple(proof for p in parts for proof in p.proofs),
        not_proven=tuple(dict.fromkeys(n for p in parts for n in p.not_proven)),
    )


def _of_family(family: str, packages: Sequence[Package], context: Context) -> Examination:
    if selftest.run((family,)).blocks(family):
        return Examination(findings=tuple(p.unread_because(Reason.SELFTEST_FAILED, f"family {family}") for p in packages))
    if family not in _READERS:
        return Examination(
            findings=tuple(p.unread_because(Reason.UNSUPPORTED_FORMAT, f"family {family}") for p in packages)
        )
    reader = import_module(f".{_READERS[family]}", __package__)
    return cast(Examination, reader.examine(packages, context))


_READERS: Mapping[str, str] = {
    "chainmaker": "package_chainmaker",
    "fisco2": "package_fisco",
    "fisco3": "package_fisco",
    "xuperchain": "package_xuperchain",
    "fabric": "package_fabric",
}
"""Family -> module of this folder with `examine(packages, context) -> Examination`. Other families are told to be unsupported."""
