"""Platform certificates in JSON: one reader for every spelling (spec consortium-chains §10).

None of the public certificate formats carries a path, a header or a validator's signature. What can be checked is whether
the certificate's digest is that of a file in the exhibit, whether its members agree with each other, and whether its times
can be read at all. The rest is the platform's statement: it becomes a `Claim`, to be compared with the chain's own proof, and
its walk ends at the statement. What a certificate says of its own verification changes nothing, and no address in it is ever
opened.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from json import JSONDecodeError, JSONDecoder

from ..codecs import strict_json
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..verdict import (
    Bearing,
    Examination,
    Finding,
    Grade,
    Node,
    NodeKind,
    ProofState,
    Walk,
    failed,
    indeterminate,
    passed,
    step,
)
from . import matching, spellings
from .claim import Claim
from .statement import Certificate, CertificateError, host_of, read, shown

READ, FIELDS, TIME, HOST, ONLINE = (
    "CERT.READ",
    "CERT.FIELDS",
    "CERT.TIME",
    "CERT.HOST",
    "INCL.ONLINE",
)

CERTIFICATE_BYTES_MAX = 4 << 20
"""Real certificates stay under 100 KiB."""
LOOK_BYTES = 64 << 10
"""Bytes in which a file is recognised."""
SHOWN_MAX = 12
"""Names listed in a note."""

_KEY = re.compile(r'"((?:[^"\\\x00-\x1f]|\\.){1,64})"\s*:')
_NODE_ANSWER = (
    "sealerList",
    "signatureList",
    "logsBloom",
    "receiptsRoot",
    "txsRoot",
    "parentHash",
    "transactionIndex",
    "gasPrice",
    "mingjian.chain-proof",
)
"""Names that only a node's own answer or a proof package has."""


def sniff(source: Source) -> int:
    """A JSON object with the names of a certificate, whether or not the rest of it is JSON. Never by file name.

    At least two things that certificates state, one of them the transaction, the block or the certificate's number: a web
    archive's own log states digests and times, but no transaction. A file that is not JSON is claimed by one such name, so
    that a damaged certificate is said to be damaged; a list of JSON lines is a log and is left alone.
    """
    head = source.head(LOOK_BYTES)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").decode("utf-8", "replace")
    if not text.startswith("{") or any(name in text for name in _NODE_ANSWER):
        return 0
    found = {c for name in _KEY.findall(text) if (c := spellings.concept(_unescaped(name)))}
    if not found & spellings.STRONG:
        return 0
    if len(found) >= 2:
        return 0 if _is_json_lines(text) else 40
    return 40 if source.size <= LOOK_BYTES and _is_broken(head) and not _is_json_lines(text) else 0


def examine(sources: Sequence[Source], context: Context) -> Examination:
    findings: list[Finding] = []
    certificates: list[tuple[Source, Certificate]] = []
    for source in sources:
        data = source.read(CERTIFICATE_BYTES_MAX)
        if data is None:
            findings.append(indeterminate(READ, Reason.RESOURCE_LIMIT, source.name, bearing=Bearing.DECISIVE))
            continue
        try:
            certificates.append((source, read(strict_json.loads(data), source=source.name)))
        except (strict_json.JsonError, CertificateError) as fault:
            findings.append(failed(READ, Reason.FORMAT_FAILURE, source.name, actual=str(fault)))
    spoken_of = matching.stated((f for _, c in certificates for f in c.claim.files), context.content)
    parts = [_examine(certificate, source, context, spoken_of) for source, certificate in certificates]
    return Examination(
        findings=(*findings, *(f for p in parts for f in p.findings)),
        walks=tuple(w for p in parts for w in p.walks),
        claims=tuple(c.claim for _, c in certificates),
        not_proven=("NOT_PROVEN.CERTIFICATE",) if certificates else (),
    )


def _examine(
    certificate: Certificate, source: Source, context: Context, spoken_of: frozenset[Source]
) -> Examination:
    pairs = list(
        matching.compare(
            certificate.claim.files,
            content=context.content,
            stated_by=source.name,
            objects=certificate.objects,
            unknown=certificate.unknown,
            spoken_of=spoken_of,
        )
    )
    findings = [_read_finding(certificate, source), *(finding for _, finding in pairs)]
    findings += [_conflict(source, name, a, b) for name, a, b in certificate.conflicts]
    findings += _time_findings(certificate, source, context.at)
    findings += _host_findings(certificate, source, context)
    findings.append(indeterminate(ONLINE, Reason.NETWORK_REQUIRED, source.name, bearing=Bearing.ADVISORY))
    walks = tuple(_walk(certificate.claim, content, finding) for content, finding in pairs)
    return Examination(tuple(findings), walks)


# ── checks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_finding(certificate: Certificate, source: Source) -> Finding:
    claim = certificate.claim
    stated = {
        "digest": claim.files,
        "transaction": claim.tx_id,
        "block height": claim.block_height is not None,
        "certificate number": claim.certificate_no,
        "time": claim.time,
    }
    names = ", ".join(name for name, value in stated.items() if value)
    notes = tuple(
        f"{code}:{_listed(values)}"
        for code, values in (("UNREAD_MEMBERS", certificate.unread), ("FURTHER_RECORDS", certificate.further_records))
        if values
    )
    if not names:
        return indeterminate(READ, Reason.UNSUPPORTED_FORMAT, source.name, notes=notes)
    dialect = certificate.dialect.platform if certificate.dialect else "–"
    return passed(READ, source.name, expected=dialect, actual=names, notes=notes)


def _conflict(source: Source, name: str, a: str, b: str) -> Finding:
    return failed(FIELDS, Reason.CERT_FIELDS_CONFLICT, source.name, expected=f"{name} {a}", actual=f"{name} {b}")


def _time_findings(certificate: Certificate, source: Source, at: datetime) -> list[Finding]:
    """CERT.TIME: readable without guessing, and in the order capture ≤ recording ≤ issue ≤ now."""
    stated = [
        (label, t)
        for label, t in (
            ("capture", certificate.captured),
            ("recording", certificate.claim.time),
            ("issue", certificate.issued),
        )
        if t is not None
    ]
    if not stated:
        return []
    open_ = next(((label, t) for label, t in stated if t.instant is None), None)
    if open_:
        text = f"{open_[0]} {shown(open_[1].text)}"
        return [indeterminate(TIME, Reason.TIME_ZONE_AMBIGUOUS, source.name, actual=text)]
    line = [*((label, t.instant) for label, t in stated if t.instant is not None), ("verification", at)]
    text = ", ".join(f"{label} {moment.isoformat()}" for label, moment in line[:-1])
    if any(earlier > later for (_, earlier), (_, later) in zip(line, line[1:], strict=False)):
        return [indeterminate(TIME, Reason.TIMESTAMP_ORDER_FAILURE, source.name, actual=text)]
    return [passed(TIME, source.name, actual=text)]


def _host_findings(certificate: Certificate, source: Source, context: Context) -> list[Finding]:
    """CERT.HOST: the hosts of its addresses are in the court's registry, letter by letter. None is ever opened."""
    if not certificate.addresses:
        return []
    registered = {h.lower() for p in context.trust.platforms for h in p.hosts}
    strange = next((a for a in certificate.addresses if host_of(a) not in registered), None)
    if strange is None:
        hosts = ", ".join(certificate.claim.hosts[:SHOWN_MAX])
        return [passed(HOST, source.name, actual=hosts, bearing=Bearing.ADVISORY)]
    reason = Reason.CERT_HOST_MISMATCH if registered else Reason.PLATFORM_NOT_IN_POLICY
    return [indeterminate(HOST, reason, source.name, actual=shown(strange), bearing=Bearing.ADVISORY)]


def _walk(claim: Claim, content: Source | None, finding: Finding) -> Walk:
    file = Node(NodeKind.FILE, content.name if content else "–")
    statement = Node(NodeKind.STATEMENT, claim.certificate_no or claim.tx_id or claim.source)
    return Walk(
        source=claim.source,
        file=content.sha256 if content else "",
        steps=(step(file, statement, finding),),
        grade=Grade.E,
        state=ProofState.ASSERTED,
    )


# ── small things ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _listed(names: Sequence[str]) -> str:
    more = f" +{len(names) - SHOWN_MAX}" if len(names) > SHOWN_MAX else ""
    return ", ".join(shown(n[:40]) for n in names[:SHOWN_MAX]) + more


def _unescaped(name: str) -> str:
    """`\\u4ea4` in a member name, as some writers print Chinese."""
    if "\\" not in name:
        return name
    try:
        return str(strict_json.loads(f'"{name}"'.encode()))
    except (strict_json.JsonError, UnicodeEncodeError):
        return name


def _is_broken(data: bytes) -> bool:
    try:
        strict_json.loads(data)
    except strict_json.JsonError:
        return True
    return False


def _is_json_lines(text: str) -> bool:
    """One object, and behind its end another one."""
    try:
        _, end = JSONDecoder().raw_decode(text)
    except (JSONDecodeError, RecursionError, ValueError):
        return False
    return text[end:].lstrip().startswith("{")
