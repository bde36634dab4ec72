"""Our own check of a sealed report: the gate before release, and what anybody can run later (spec signed-report §6 step 8).

    python -m evidence.reports.checking --anchors DIR REPORT.pdf

Public anchors, in one directory; nothing in it is secret and nothing in the PDF is trusted:

    roots/*.pem   roots of e-seal and time-stamps      crls/*.crl   current revocation lists (DER)
    seals/*.pem   the certificates of the court's e-seals, present and former
    people-certs/*.pem   the personal certificates of the court's staff, present and former

A root may stand above many certificates; only the seals and persons named here are the court's. Exit status of the command: 0 nothing
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

SEAL, SM2_SEAL, CLERK, JUDGE = "CourtSeal", "CourtSealSM2", "Clerk", "Judge"
PERSONS = (CLERK, JUDGE)
ARCHIVES = tuple(f"DocTS{n}" for n in range(1, 11))
"""The fields that a report is rendered with; archive time-stamps are filled in this order, one more at each renewal."""
ARCHIVE = ARCHIVES[0]
BASIC, STAMPED, LONG_TERM = "PAdES-B-B", "PAdES-B-T", "PAdES-B-LTA"
"""Signature alone; with a trusted time-stamp; with all that shows it good, under an archive time-stamp."""


@dataclass(frozen=True, slots=True)
class Checked:
    """`faults` is empty when nothing is wrong. The rest is what the file says, worth something only then."""

    faults: tuple[str, ...]
    sealed_by: str = ""
    sealed_at: datetime | None = None
    """By the time-stamp on the seal, not by the signer's own clock."""
    annex_sha256: str = ""
    signed_by: tuple[tuple[str, str], ...] = ()
    """The persons who signed: field and subject of the certificate, in order."""


def check(pdf: bytes, *, keys: Path, at: datetime | None = None, level: str = LONG_TERM) -> list[str]:
    """What is wrong with a sealed report; empty when nothing is. `keys` holds the public anchors (module docstring)."""
    return list(examine(pdf, anchors=keys, at=at, level=level).faults)


def examine(pdf: bytes, *, anchors: Path, at: datetime | None = None, level: str = LONG_TERM) -> Checked:
    """Never raises for what a file contains: a file that cannot be read to its end has a fault.

    level   what the report must be; below PAdES-B-LTA only for one whose time-stamp or revocation data is still to come

    1. nothing is filled but the fields of a report, each with what belongs there: the e-seal, then clerk and judge if they
       sign, then the archive time-stamps in their order;
    2. each is intact, covers its revision and leads to the court's roots with revocation data;
    3. the seal is one of the court's seals and certifies the document, a person is one of the court's persons and certifies
       nothing, and each has a trusted time: its own time-stamp, or the first archive time-stamp over it;
    4. nothing was changed after any of them but that the later ones were added;
    5. the last covers the file to its last byte, so that nothing follows.
    """
    pyhanko_patches.apply()
    try:
        return asyncio.run(_examine(pdf, anchors, at, level))
    except Exception as fault:  # parsers raise what they like on hostile bytes; none of it is a pass
        return Checked((f"cannot be read: {type(fault).__name__}: {fault}"[:300],))


async def _examine(pdf: bytes, anchors: Path, at: datetime | None, level: str) -> Checked:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.fields import enumerate_sig_fields

    reader = PdfFileReader(io.BytesIO(pdf))
    filled = [name for name, _, _ in enumerate_sig_fields(reader, filled_status=True)]
    found = list(reader.embedded_signatures)
    embedded = {one.field_name: one for one in found}
    faults = list(_field_faults(filled, embedded, level))
    if faults:
        return Checked(tuple(faults))
    # 1. In the order in which they were made.
    expected = [name for name in (SEAL, *PERSONS, *ARCHIVES) if name in embedded]
    if [one.field_name for one in found] != expected:
        faults.append(f"signed out of order: {', '.join(one.field_name for one in found)}")
    faults += _end_faults(pdf, found[-1])
    mode = "require" if level == LONG_TERM else "soft-fail"
    times: dict[str, datetime | None] = {}
    archived = None
    for name in ARCHIVES:
        if name in embedded:
            status = await _archive_status(embedded[name], anchors, at, mode)
            faults += _common_faults(name, status)
            archived = archived or status.timestamp
    for name in (SEAL, *PERSONS):
        if name not in embedded:
            continue
        one, status = embedded[name], await _signature_status(embedded[name], anchors, at, mode)
        faults += _common_faults(name, status)
        faults += _signer_faults(name, one, status, anchors)
        stamped = status.timestamp_validity
        # A token that is there and cannot be believed is a fault even under an archive time-stamp.
        if (stamped is None and archived is None and level != BASIC) or (
            stamped is not None and not (stamped.intact and stamped.valid and stamped.trusted)
        ):
            faults.append(f"{name}: no trusted time-stamp")
        times[name] = stamped.timestamp if stamped else archived
    return Checked(
        tuple(faults),
        sealed_by=str(embedded[SEAL].signer_cert.subject.human_friendly),
        sealed_at=times[SEAL],
        annex_sha256=_annex_digest(pdf),
        signed_by=tuple((name, str(embedded[name].signer_cert.subject.human_friendly)) for name in PERSONS if name in embedded),
    )


def _field_faults(filled: list[str], embedded: dict[str, Any], level: str) -> Iterable[str]:
    needed = {SEAL, ARCHIVE} if level == LONG_TERM else {SEAL}
    allowed = {SEAL: "/Sig", **dict.fromkeys(PERSONS, "/Sig")}
    if level == LONG_TERM:
        allowed |= dict.fromkeys(ARCHIVES, "/DocTimeStamp")
    yield from (f"{name}: not filled" for name in (SEAL, ARCHIVE) if name in needed and name not in filled)
    yield from (f"{name}: a signature that does not belong to a report" for name in filled if name not in allowed)
    yield from (f"{name}: filled twice" for name in sorted({n for n in filled if filled.count(n) > 1}))
    yield from (f"{name}: not understood" for name in filled if name not in embedded)
    for name, one in embedded.items():
        if name in allowed and one.sig_object_type != allowed[name]:
            yield f"{name}: holds {one.sig_object_type}"
    stamps = [name for name in ARCHIVES if name in filled]
    yield from (f"{name}: left out" for name in ARCHIVES[: len(stamps)] if name not in filled)


def _signer_faults(name: str, one: Any, status: Any, anchors: Path) -> Iterable[str]:
    listed = sorted((anchors / ("seals" if name == SEAL else "people-certs")).glob("*.pem"))
    ours = {hashlib.sha256(certificate.dump()).digest() for certificate in certificates(*listed)}
    if hashlib.sha256(one.signer_cert.dump()).digest() not in ours:
        yield f"{name}: not a seal of the court" if name == SEAL else f"{name}: not a person of the court"
    if name == SEAL and one.docmdp_level is None:
        yield f"{name}: does not certify the document"
    if name != SEAL and one.docmdp_level is not None:
        yield f"{name}: certifies the document, which only the seal may"
    if not status.docmdp_ok:
        yield f"{name}: changed beyond what the certification allows"


def _end_faults(pdf: bytes, last: Any) -> Iterable[str]:
    """No signature covers what follows the last one, nor its own container: the one must be empty, the other exact."""
    from asn1crypto import parser

    what = "archive time-stamp" if last.sig_object_type == "/DocTimeStamp" else "last signature"
    _, before, after, rest = (int(n) for n in last.byte_range)
    if after + rest != len(pdf):
        yield f"{last.field_name}: {len(pdf) - after - rest} bytes follow the {what}"
    token = last.pkcs7_content[: parser.peek(last.pkcs7_content)]
    container = pdf[before:after]
    exact = b"<" + token.hex().encode().ljust(len(container) - 2, b"0") + b">"
    if container not in (exact, exact.upper()):
        yield f"{last.field_name}: its container holds more than the {what}"


async def _signature_status(signature: Any, anchors: Path, at: datetime | None, mode: str) -> Any:
    from pyhanko.sign.validation import async_validate_pdf_signature

    return await async_validate_pdf_signature(
        signature, signer_validation_context=context(anchors, at, mode=mode), ts_validation_context=context(anchors, at, mode=mode)
    )


async def _archive_status(signature: Any, anchors: Path, at: datetime | None, mode: str) -> Any:
    from pyhanko.sign.validation import async_validate_pdf_timestamp

    return await async_validate_pdf_timestamp(signature, validation_context=context(anchors, at, mode=mode))


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


def context(anchors: Path, at: datetime | None = None, *, mode: str = "require") -> Any:
    """pyHanko's view of the anchors: nothing is fetched, and without revocation data nothing is trusted.

    mode   "soft-fail": trusted also when revocation data is missing or old; never when a list says revoked
    """
    from pyhanko_certvalidator import ValidationContext

    return ValidationContext(
        trust_roots=certificates(*sorted((anchors / "roots").glob("*.pem"))),
        crls=revocation_lists(anchors),
        allow_fetching=False,
        # Not "hard-fail": that asks only for certificates which say themselves where their revocation list is.
        revocation_mode=mode,
        moment=at,
        best_signature_time=at,
    )


def revocation_lists(anchors: Path) -> list[Any]:
    from asn1crypto import crl

    return [crl.CertificateList.load(file.read_bytes()) for file in sorted((anchors / "crls").glob("*.crl"))]


def certificates(*files: Path) -> list[Any]:
    from pyhanko import keys

    read: Any = keys.load_certs_from_pemder
    return list(read([str(file) for file in files]))


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
    parser.add_argument("--anchors", type=Path, required=True, help="folder with roots/, crls/, seals/ and people-certs/")
    parser.add_argument("report", type=Path)
    options = parser.parse_args(arguments)
    try:
        pdf = options.report.read_bytes()
    except OSError as fault:
        print(f"{options.report}: {fault}", file=sys.stderr)
        return 64
    found = examine(pdf, anchors=options.anchors)
    print(f"file SHA-256   {hashlib.sha256(pdf).hexdigest()}")
    for label, value in (("sealed by", found.sealed_by), *found.signed_by, ("result.json", found.annex_sha256)):
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
