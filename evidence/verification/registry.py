"""FORMATS: one line per format. A new format is one module, one line here, its vectors and its page in `docs/formats/`.

A format module offers two functions:

    sniff(source) -> int                    0 declines; 1..100 says how surely the bytes are of this format, by magic and
                                            structure, never by file name alone; must be cheap (a few KiB, no big imports)
    examine(sources, context) -> Examination   all sources of the exhibit recognised as this format, together; never raises
                                            for bad input and never stops at the first fault

Modules import heavy libraries inside functions, so that the command line starts quickly.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, cast

from .certificates.claim import Claim
from .codecs.inflate import Budget
from .exhibit import Exhibit, Source
from .trust import TrustStore

if TYPE_CHECKING:
    from .chains.ladder import Proof


class Role(StrEnum):
    """What a file is in the exhibit, in the order in which roles are examined: what certificates claim is known before
    the content is compared with it."""

    SUPPORT = "SUPPORT"
    """Data other formats may use (certificates of signers); says nothing by itself."""
    CERTIFICATE = "CERTIFICATE"
    """A platform's statement: yields claims, to be compared with proofs."""
    CONTENT = "CONTENT"
    """The evidence itself: each needs a walk of its own."""
    PROOF = "PROOF"
    """Chain proofs and time-stamps: yield walks."""


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    role: Role
    module: str

    def load(self) -> ModuleType:
        return importlib.import_module(f"evidence.verification.{self.module}")


FORMATS: tuple[Format, ...] = (
    Format("wacz", Role.CONTENT, "snapshots.wacz"),
    Format("warc", Role.CONTENT, "snapshots.warc"),
    Format("forensic-package", Role.CONTENT, "snapshots.forensic_package"),
    Format("mhtml", Role.CONTENT, "snapshots.mhtml"),
    Format("singlefile", Role.CONTENT, "snapshots.singlefile"),
    Format("har", Role.CONTENT, "snapshots.har"),
    Format("x509", Role.SUPPORT, "certificates.pem"),
    Format("platform-certificate", Role.CERTIFICATE, "certificates.platform_json"),
    Format("pdf-certificate", Role.CERTIFICATE, "certificates.pdf_certificate"),
    Format("signed-pdf", Role.CONTENT, "signatures.pdf"),
    Format("ofd", Role.CONTENT, "signatures.ofd"),
    Format("chainmaker", Role.PROOF, "chains.chainmaker"),
    Format("fisco2", Role.PROOF, "chains.fisco2"),
    Format("fisco3", Role.PROOF, "chains.fisco3"),
    Format("fabric", Role.PROOF, "chains.fabric"),
    Format("xuperchain", Role.PROOF, "chains.xuperchain"),
    Format("proof-package", Role.PROOF, "chains.proof_package"),
    Format("rfc3161", Role.PROOF, "timestamps.rfc3161"),
    Format("opentimestamps", Role.PROOF, "timestamps.opentimestamps"),
    # Last: it compares what the other formats found with what a node of the court answered.
    Format("court-node", Role.PROOF, "chains.court_node"),
)
UNKNOWN = Format("unknown", Role.CONTENT, "")
"""Any other file: evidence whose bytes can be bound by a proof, though nothing inside it is examined."""


@dataclass(frozen=True)
class Context:
    """What a format may look at beside its own sources."""

    exhibit: Exhibit
    trust: TrustStore
    at: datetime
    formats: Mapping[Source, Format]
    claims: tuple[Claim, ...] = ()
    """Claims of the platform certificates, once they have been read."""
    proofs: tuple["Proof", ...] = ()
    """Chain proofs of the formats examined so far, whatever their family."""
    spoken_of: frozenset[Source] = frozenset()
    """Content files whose digest a proof examined so far holds: a proof of another file contradicts none of them."""
    budget: Budget = field(default_factory=Budget)
    """What inflating may cost, shared by every format that looks at this exhibit."""

    @property
    def content(self) -> tuple[Source, ...]:
        return tuple(s for s in self.exhibit.sources if self.formats[s].role is Role.CONTENT)

    def of(self, name: str) -> tuple[Source, ...]:
        return tuple(s for s in self.exhibit.sources if self.formats[s].name == name)


def recognise(exhibit: Exhibit) -> tuple[Mapping[Source, Format], Mapping[Source, str]]:
    """Each source -> its format: the highest score wins, earlier lines win ties, nobody means UNKNOWN.

    The second mapping names the exception of a `sniff` that broke: a fault of the engine, to be said, never swallowed.
    """
    found: dict[Source, Format] = {}
    faults: dict[Source, str] = {}
    for source in exhibit.sources:
        best, best_score = UNKNOWN, 0
        for fmt in FORMATS:
            try:
                score = cast(int, fmt.load().sniff(source))
            except Exception as fault:
                faults[source] = f"{fmt.name}: {type(fault).__name__}"
                continue
            if score > best_score:
                best, best_score = fmt, score
        found[source] = best
    return MappingProxyType(found), MappingProxyType(faults)
