"""Our own check of a sealed report: the gate before release, and what anybody can run later (spec signed-report §6 step 8).

    python -m evidence.reports.checking --anchors DIR REPORT.pdf

Public anchors, in one directory; nothing in it is secret and nothing in the PDF is trusted:

    roots/*.pem   roots of e-seal and time-stamps      crls/*.crl   current revocation lists (DER)
    seals/*.pem   the certificates of the court's e-seals, present and former

A root may stand above many certificates; only the seals named here are the court's. Exit status of the command: 0 nothing
wrong, 1 something wrong (each fault on a line), 64 usage.
"""

import argparse
import asyncio
import hashlib
import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import pyhanko_patches

SEAL, ARCHIVE = "CourtSeal", "DocTS1"
FIELDS = {SEAL: "/Sig", ARCHIVE: "/DocTimeStamp"}
"""The fields of a sealed report that are filled, with what they hold; any other filled field is a fault."""


@dataclass(frozen=True, slots=True)
class Checked:
    """`faults` is empty when nothing is wrong. The rest is what the file says, worth something only then."""

    faults: tuple[str, ...]
    sealed_by: str = ""
    sealed_at: datetime | None = None
    """By the time-stamp on the seal, not by the signer's own clock."""
    annex_sha256: str = ""


def check(pdf: bytes, *, keys: Path, at: datetime | None = None) -> list[str]:
    """What is wrong with a sealed report; empty when nothing is. `keys` holds the public anchors (module docstring)."""
    return list(examine(pdf, anchors=keys, at=at).faults)


def examine(pdf: bytes, *, anchors: Path, at: datetime | None = None) -> Checked:
    """Never raises for what a file contains: a file that cannot be read to its end has a fault.

    1. exactly the two fields are filled, each with what belongs there;
    2. each is intact, covers its revision and leads to the court's roots with revocation data;
    3. the seal is one of the court's seals, certifies the document and carries a trusted time-stamp;
    4. nothing was changed after it but the archive time-stamp;
    5. the archive time-stamp covers the file to its last byte, so that nothing follows.
    """
    pyhanko_patches.apply()
    try:
        return asyncio.run(_examine(pdf, anchors, at))
    except Exception as fault:  # parsers raise what they like on hostile bytes; none of it is a pass
        return Checked((f"cannot be read: {type(fault).__name__}: {fault}"[:300],))


async def _examine(pdf: bytes, anchors: Path, at: datetime | None) -> Checked:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.fields import enumerate_sig_fields

    reader = PdfFileReader(io.BytesIO(pdf))
    filled = [name for name, value, _ in enumerate_sig_fields(reader, filled_status=True)]
    faults = [f"{name}: not filled" for name in FIELDS if name not in filled]
    faults += [f"{name}: a signature that does not belong to a report" for name in filled if name not in FIELDS]
    embedded = {s.field_name: s for s in reader.embedded_signatures}
    faults += [f"{name}: not understood" for name in filled if name not in embedded]
    faults += [
        f"{name}: holds {s.sig_object_type}" for name, s in embedded.items() if s.sig_object_type != FIELDS.get(name)
    ]
    if faults:
        return Checked(tuple(faults))
    seal, archive = embedded[SEAL], embedded[ARCHIVE]
    faults += _end_faults(pdf, archive)
    status = await _seal_status(seal, anchors, at)
    faults += _common_faults(SEAL, status)
    if hashlib.sha256(seal.signer_cert.dump()).digest() not in _seals(anchors):
        faults.append(f"{SEAL}: not a seal of the court")
    if seal.docmdp_level is None:
        faults.append(f"{SEAL}: does not certify the document")
    if not status.docmdp_ok:
        faults.append(f"{SEAL}: changed beyond what the certification allows")
    stamped = status.timestamp_validity
    if stamped is None or not (stamped.intact and stamped.valid and stamped.trusted):
        faults.append(f"{SEAL}: no trusted time-stamp")
    faults += _common_faults(ARCHIVE, await _archive_status(archive, anchors, at))
    return Checked(
        tuple(faults),
        sealed_by=str(seal.signer_cert.subject.human_friendly),
        sealed_at=stamped.timestamp if stamped else None,
        annex_sha256=_annex_digest(pdf),
    )


def _end_faults(pdf: bytes, archive: Any) -> Iterable[str]:
    """No signature covers what follows the last one, nor its own container: the one must be empty, the other exact."""
    from asn1crypto import parser

    _, before, after, rest = (int(n) for n in archive.byte_range)
    if after + rest != len(pdf):
        yield f"{ARCHIVE}: {len(pdf) - after - rest} bytes follow the archive time-stamp"
    token = archive.pkcs7_content[: parser.peek(archive.pkcs7_content)]
    container = pdf[before:after]
    exact = b"<" + token.hex().encode().ljust(len(container) - 2, b"0") + b">"
    if container not in (exact, exact.upper()):
        yield f"{ARCHIVE}: its container holds more than the time-stamp"


async def _seal_status(signature: Any, anchors: Path, at: datetime | None) -> Any:
    from pyhanko.sign.validation import async_validate_pdf_signature

    return await async_validate_pdf_signature(
        signature, signer_validation_context=context(anchors, at), ts_validation_context=context(anchors, at)
    )


async def _archive_status(signature: Any, anchors: Path, at: datetime | None) -> Any:
    from pyhanko.sign.validation import async_validate_pdf_timestamp

    return await async_validate_pdf_timestamp(signature, validation_context=context(anchors, at))


def _common_faults(name: str, status: Any) -> Iterable[str]:
    from pyhanko.sign.diff_analysis import ModificationLevel as Level
    from pyhanko.sign.validation.status import SignatureCoverageLevel as Coverage

    if not (status.intact and status.valid):
        yield f"{name}: broken"
    if not status.trusted:
        yield f"{name}: no path to the court's anchors"
    if status.coverage not in (Coverage.ENTIRE_FILE, Coverage.ENTIRE_REVISION):
        yield f"{name}: does not cover its revision"
    # The archive time-stamp fills a field that was there from the start; the certification allows that and nothing else.
    if status.modification_level not in (Level.NONE, Level.LTA_UPDATES, Level.FORM_FILLING):
        yield f"{name}: modified after signing"


def context(anchors: Path, at: datetime | None = None) -> Any:
    """pyHanko's view of the anchors: nothing is fetched, and without revocation data nothing is trusted."""
    from asn1crypto import crl
    from pyhanko_certvalidator import ValidationContext

    return ValidationContext(
        trust_roots=_certificates(anchors / "roots"),
        crls=[crl.CertificateList.load(p.read_bytes()) for p in sorted((anchors / "crls").glob("*.crl"))],
        allow_fetching=False,
        # Not "hard-fail": that asks only for certificates which say themselves where their revocation list is.
        revocation_mode="require",
        moment=at,
        best_signature_time=at,
    )


def _seals(anchors: Path) -> frozenset[bytes]:
    return frozenset(hashlib.sha256(certificate.dump()).digest() for certificate in _certificates(anchors / "seals"))


def _certificates(folder: Path) -> list[Any]:
    from pyhanko import keys

    read: Any = keys.load_certs_from_pemder
    return list(read([str(p) for p in sorted(folder.glob("*.pem"))]))


def _annex_digest(pdf: bytes) -> str:
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as document:
        if "result.json" not in document.attachments:
            return ""
        return hashlib.sha256(document.attachments["result.json"].get_file().read_bytes()).hexdigest()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m evidence.reports.checking", description="Check the seal of a report, offline."
    )
    parser.add_argument("--anchors", type=Path, required=True, help="folder with roots/, crls/ and seals/")
    parser.add_argument("report", type=Path)
    options = parser.parse_args(arguments)
    try:
        pdf = options.report.read_bytes()
    except OSError as fault:
        print(f"{options.report}: {fault}", file=sys.stderr)
        return 64
    found = examine(pdf, anchors=options.anchors)
    print(f"file SHA-256   {hashlib.sha256(pdf).hexdigest()}")
    for label, value in (("sealed by", found.sealed_by), ("result.json", found.annex_sha256)):
        if value:
            print(f"{label:<14} {value}")
    if found.sealed_at:
        print(f"sealed at      {found.sealed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    for line in found.faults:
        print(f"FAULT          {line}")
    if not found.faults:
        print("nothing wrong: unchanged since the court sealed it")
    return 1 if found.faults else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
