"""Who signed a report, read from its own bytes: one entry for each filled signature field, time-stamps included.

Nothing is verified here (`checking` does that): a signature that turns out to be worthless was made with that key all the same,
and must be found when the key is compromised.
"""

import hashlib
import io
from dataclasses import dataclass
from typing import Any

from . import pyhanko_patches

SUBJECT_MAX = 500


@dataclass(frozen=True, slots=True)
class Signatory:
    """`serial` in lower-case hexadecimal; `subject` as the library spells a distinguished name."""

    field: str
    certificate_sha256: str
    subject: str
    serial: str
    timestamp: bool


def signatories(pdf: bytes) -> list[Signatory]:
    """In the order of signing. Raises what the library raises for a file that is no PDF, or a signature that is no CMS."""
    from pyhanko.pdf_utils.reader import PdfFileReader

    pyhanko_patches.apply()
    return [_signatory(found) for found in PdfFileReader(io.BytesIO(pdf)).embedded_signatures]


def _signatory(found: Any) -> Signatory:
    certificate = found.signer_cert
    return Signatory(
        field=found.field_name,
        certificate_sha256=hashlib.sha256(certificate.dump()).hexdigest(),
        subject=str(certificate.subject.human_friendly)[:SUBJECT_MAX],
        serial=f"{certificate.serial_number:x}",
        timestamp=found.sig_object_type == "/DocTimeStamp",
    )
