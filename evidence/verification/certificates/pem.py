"""X.509 certificates handed in beside a proof (`.pem`, `.crt`, `.cer`): the chain of a signer or of a time-stamping authority.

They support other formats and say nothing by themselves: they may complete a path, they are never its end. RFC 7468 for the
text form; a bare DER certificate is taken as well.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from ..codecs import der
from ..codecs.text import CodecError
from ..exhibit import Source
from ..keys.x509 import Certificate, CertificateError
from ..reasons import Reason
from ..registry import Context
from ..verdict import Bearing, Examination, indeterminate

FILE_BYTES_MAX = 1 << 20
"""A public root bundle is under 300 KB."""
CERTIFICATES_MAX = 200
"""Certificates read from one file; a public root bundle holds about 150."""
HEAD = 4096
"""Bytes looked at for recognition: text before the first certificate is short."""

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_BLOCK = re.compile(
    rb"-----BEGIN CERTIFICATE-----[ \t]*\r?\n([A-Za-z0-9+/=\r\n \t]+?)-----END CERTIFICATE-----", re.ASCII
)
_BEFORE = re.compile(
    rb"\A\s*(?:-----BEGIN|#|Bag Attributes|Certificate(?: chain|:)|(?:subject|issuer)\s*[:=]|\s?[0-9] s:)", re.ASCII | re.IGNORECASE
)
"""How such files begin, with what tools write before a certificate. Any other file that quotes one, a saved page or a program for
example, is something else: its writer must not choose that it counts as no evidence."""


def sniff(source: Source) -> int:
    head = source.head(HEAD)
    if _BEGIN in head and _BEFORE.match(head):
        return 80
    return 80 if _starts_like_certificate(head) else 0


def _starts_like_certificate(head: bytes) -> bool:
    """SEQUENCE { SEQUENCE { [0] { INTEGER version } …: how a version 3 certificate and nothing else of ours begins."""
    return bool(re.match(rb"\x30[\x81-\x83].{1,3}?\x30[\x81-\x83].{1,3}?\xa0\x03\x02\x01\x02\x02", head, re.DOTALL))


def examine(sources: tuple[Source, ...], context: Context) -> Examination:
    """Nothing when a file is certificates through and through. Whatever else it holds is bound by nothing: because a file of
    this kind needs no walk of its own, that must reach the verdict."""
    findings = []
    for source in sources:
        data = source.read(FILE_BYTES_MAX)
        if data is None:
            reason, actual = Reason.RESOURCE_LIMIT, f"{source.size} bytes"
        elif data.count(_BEGIN) > CERTIFICATES_MAX:
            reason, actual = Reason.RESOURCE_LIMIT, f"{data.count(_BEGIN)} certificates"
        elif not _whole(data):
            reason, actual = Reason.FORMAT_FAILURE, None
        elif besides := _besides(data):
            reason, actual = Reason.PROOF_NOT_SUPPLIED, f"{besides} bytes beside the certificates"
        else:
            continue
        findings.append(
            indeterminate("X509.FORMAT", reason, source.name, actual=actual, bearing=Bearing.DECISIVE)
        )
    return Examination(findings=tuple(findings))


def certificates(sources: Sequence[Source]) -> list[bytes]:
    """DER of every certificate in the sources that can be read, in the order of sources and lines; malformed ones are left out."""
    found = []
    for source in sources:
        found.extend(read(source.read(FILE_BYTES_MAX) or b""))
    return found


def read(data: bytes) -> list[bytes]:
    """DER of every certificate in `data` (PEM text or one DER certificate) that can be read, in order."""
    found = []
    for candidate in _candidates(data):
        try:
            found.append(Certificate(candidate).der)
        except CertificateError:
            continue
    return found


def _whole(data: bytes) -> bool:
    candidates = list(_candidates(data))
    try:
        for candidate in candidates:
            Certificate(candidate)
    except CertificateError:
        return False
    return bool(candidates) and (b"-----" not in data or len(candidates) == data.count(_BEGIN))


def _besides(data: bytes) -> int:
    """Bytes of a text file that belong to no certificate: explanatory text (RFC 7468 §2), which may say anything."""
    return len(_BLOCK.sub(b"", data).strip()) if _BEGIN in data else 0


def _candidates(data: bytes) -> Iterator[bytes]:
    try:
        der.whole(data, der.SEQUENCE)
    except CodecError:
        pass
    else:
        yield data
        return
    for block in islice(_BLOCK.finditer(data), CERTIFICATES_MAX):
        try:
            yield base64.b64decode(b"".join(block[1].split()), validate=True)
        except binascii.Error:
            continue
