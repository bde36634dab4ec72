"""An honest time-stamping authority for tests, and the two doors of the format asked about its tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from evidence.verification.certificates import pem
from evidence.verification.exhibit import Exhibit, Source
from evidence.verification.reasons import Reason
from evidence.verification.registry import FORMATS, UNKNOWN, Context, Format
from evidence.verification.timestamps import rfc3161
from evidence.verification.trust import TrustStore
from evidence.verification.verdict import Bearing, Examination, Grade, Outcome, Overall, conclude

from .authority import TIME_STAMPING, TokenPlan, issue

MESSAGE = b"the page as captured\n"
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROOT = issue("TSA root", ca=True)
MIDDLE = issue("TSA intermediate", by=ROOT, ca=True)
TSA = issue("TSA 1", by=MIDDLE, eku=[TIME_STAMPING])
PLAN = TokenPlan(MESSAGE, TSA, embed=(TSA.der, MIDDLE.der))
NAMES = {f.name: f for f in FORMATS}


def trust(*roots: bytes, policies: Sequence[str] = ()) -> TrustStore:
    return replace(TrustStore.empty(), digest="test", tsa_roots=roots, tsa_policies=frozenset(policies))


def check(
    data: bytes, *, roots: Sequence[bytes] = (ROOT.der,), message: bytes = MESSAGE, certificates: Sequence[bytes] = (), at: datetime = AT
) -> rfc3161.Verification:
    return rfc3161.verify_token(
        data, message=message, subject="t", trust=trust(*roots), at=at, certificates=certificates
    )


def problems(found: rfc3161.Verification) -> dict[str, tuple[Outcome, Reason | None]]:
    return {
        f.check: (f.outcome, f.reason)
        for f in found.findings
        if f.outcome is not Outcome.PASSED and f.bearing is not Bearing.ADVISORY
    }


def failed(reason: Reason) -> tuple[Outcome, Reason]:
    return Outcome.FAILED, reason


def open_(reason: Reason) -> tuple[Outcome, Reason]:
    return Outcome.INDETERMINATE, reason


def examine(files: Mapping[str, bytes], *, roots: Sequence[bytes] = (ROOT.der,), at: datetime = AT) -> tuple[Examination, Overall, Grade]:
    """The registry's door with these two formats, and what the verdict would be."""
    exhibit = Exhibit.of([Source.from_bytes(name, data) for name, data in files.items()])

    def recognised(source: Source) -> Format:
        if rfc3161.sniff(source) > pem.sniff(source):
            return NAMES["rfc3161"]
        return NAMES["x509"] if pem.sniff(source) else UNKNOWN

    formats = MappingProxyType({s: recognised(s) for s in exhibit.sources})
    context = Context(exhibit, trust(*roots), at, formats)
    found = rfc3161.examine(context.of("rfc3161"), context)
    beside = pem.examine(context.of("x509"), context)
    overall, grade, _, _ = conclude(
        findings=(*found.findings, *beside.findings), walks=found.walks, content=[s.sha256 for s in context.content]
    )
    return found, overall, grade


def indefinite(data: bytes) -> bytes:
    """The same value with indefinite lengths down to the content, the signature part left as it is."""
    from asn1crypto import cms, core

    info = cms.ContentInfo.load(data)
    signed = info["content"]
    content = bytes(signed["encap_content_info"]["content"])
    octets = b"\x24\x80" + core.OctetString(content[:40]).dump() + core.OctetString(content[40:]).dump() + b"\x00\x00"
    encap = (
        b"\x30\x80" + core.ObjectIdentifier("1.2.840.113549.1.9.16.1.4").dump() + b"\xa0\x80" + octets + b"\x00" * 4
    )
    members = (
        signed["version"].dump(),
        signed["digest_algorithms"].dump(),
        encap,
        signed["certificates"].dump(),
        signed["signer_infos"].dump(),
    )
    body = b"\x30\x80" + b"".join(members) + b"\x00\x00"
    return b"\x30\x80" + core.ObjectIdentifier("1.2.840.113549.1.7.2").dump() + b"\xa0\x80" + body + b"\x00" * 4
