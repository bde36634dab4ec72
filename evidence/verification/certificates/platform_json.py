"""Platform certificates in JSON: one reader for every spelling (spec consortium-chains §10).

None of the public certificate formats carries a path, a header or a validator's signature: a certificate becomes `Claim`s, to
be compared with the chain's own proof, and its walk ends at the statement. What it says of its own verification changes
nothing, and no address in it is ever opened. `platforms` knows who writes what, `statement` reads, `checks` checks.
"""

import re
from collections.abc import Sequence
from json import JSONDecodeError, JSONDecoder

from ..codecs import strict_json
from ..exhibit import Source
from ..reasons import Reason
from ..registry import Context
from ..verdict import Bearing, Examination, Finding, failed, indeterminate
from . import checks, matching, platforms, spellings
from .embedded_token import TOKENS_MAX
from .statement import Certificate, CertificateError, read_all

READ = checks.READ

CERTIFICATE_BYTES_MAX = 4 << 20
"""Real certificates stay under 100 KiB."""
LOOK_BYTES = 64 << 10
"""Bytes in which a file is recognised."""

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

    Either the names that one platform documents, or at least two things that certificates state, one of them the transaction,
    the block or the certificate's number: a web archive's own log states digests and times, but no transaction. A file that is
    not JSON is claimed by one such name, so that a damaged certificate is said to be damaged; a list of JSON lines is a log and
    is left alone.
    """
    head = source.head(LOOK_BYTES)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").decode("utf-8", "replace")
    if not text.startswith("{") or any(name in text for name in _NODE_ANSWER):
        return 0
    names = [_unescaped(name) for name in _KEY.findall(text)]
    if platforms.recognise(names, text):
        return 0 if _is_json_lines(text) else 40
    found = {c for name in names if (c := spellings.concept(name))}
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
            read = read_all(strict_json.loads(data), source=source.name)
        except (strict_json.JsonError, CertificateError) as fault:
            findings.append(failed(READ, Reason.FORMAT_FAILURE, source.name, actual=str(fault)))
        else:
            certificates.extend((source, certificate) for certificate in read)
    spoken_of = matching.stated((f for _, c in certificates for f in c.files), context.content)
    parts: list[Examination] = []
    tokens = TOKENS_MAX
    for source, certificate in certificates:
        parts.append(checks.examine(certificate, source, context, spoken_of, tokens=tokens))
        tokens -= len(certificate.tokens)
    return Examination(
        # What concerns the whole file stands beside each of its records, and is said once.
        findings=tuple(dict.fromkeys((*findings, *(f for p in parts for f in p.findings)))),
        walks=tuple(w for p in parts for w in p.walks),
        claims=tuple(claim for _, c in certificates for claim in c.claims),
        spoken_of=frozenset().union(*(p.spoken_of for p in parts)),
        not_proven=tuple(dict.fromkeys([*_NOT_PROVEN[: len(certificates)], *(n for p in parts for n in p.not_proven)])),
        stated=tuple(t for p in parts for t in p.stated),
    )


_NOT_PROVEN = ("NOT_PROVEN.CERTIFICATE",)


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
