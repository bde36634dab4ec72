"""Sealing a report: PAdES-B-LTA with the court's e-seal (spec signed-report §6 steps 4, 7, 8 and §7).

Keys and anchors lie in one directory (`settings.PORTAL_SIGNING_DIR`; the demonstration makes its own):

    seal.p12  seal.passphrase    e-seal                  roots/*.pem   anchors of seal and time-stamps
    tsa.url | tsa.p12 + tsa.passphrase                   crls/*.crl    current revocation lists (DER)

With `tsa.url` the allow-listed time-stamping authority is asked; with `tsa.p12` a local one stamps (demonstration, tests).
"""

import asyncio
import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from . import pyhanko_patches

LEVEL = "PAdES-B-LTA"
TSA_SECONDS_MAX = 10


class SigningError(RuntimeError):
    """The report was not signed: key, time-stamp or check. It stays unsigned and queued; nothing is issued."""


@dataclass(frozen=True, slots=True)
class Signed:
    pdf: bytes
    level: str


def repack(pdf: bytes) -> bytes:
    """Object streams of at most 100 objects: a signature validator re-reads a stream for every object in it."""
    import pikepdf

    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
            deterministic_id=True,
        )
    return out.getvalue()


def seal(pdf: bytes, *, keys: Path, words: tuple[str, ...], fonts: Path) -> Signed:
    """Certify the report with the court's e-seal: signature, time-stamp, revocation data, archive time-stamp.

    words   lines of the visible seal (the court's name, and "demonstration" where it is one)
    """
    pyhanko_patches.apply()
    try:
        return asyncio.run(_seal(pdf, keys, _stamp(words, fonts)))
    except SigningError:
        raise
    except Exception as fault:
        raise SigningError(f"{type(fault).__name__}: {fault}") from fault


async def _seal(pdf: bytes, keys: Path, stamp: Any) -> Signed:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
    from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner

    signer = _signer(keys)
    metadata = PdfSignatureMetadata(
        field_name="CourtSeal",
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.FILL_FORMS,
        embed_validation_info=True,
        use_pades_lta=True,
        timestamp_field_name="DocTS1",
        validation_context=_context(keys),
    )
    out = io.BytesIO()
    await PdfSigner(metadata, signer=signer, timestamper=_timestamper(keys), stamp_style=stamp).async_sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)), existing_fields_only=True, output=out
    )
    return Signed(out.getvalue(), LEVEL)


def check(pdf: bytes, *, keys: Path, at: datetime | None = None) -> list[str]:
    """Our own gate before release: what is wrong with the signatures of a sealed report; empty when nothing is.

    Every filled field must be listed, intact, cover its revision, allow no change but an archive time-stamp, and chain to
    the court's anchors with revocation data.
    """
    pyhanko_patches.apply()
    return asyncio.run(_check(pdf, keys, at))


async def _check(pdf: bytes, keys: Path, at: datetime | None) -> list[str]:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.diff_analysis import ModificationLevel as Level
    from pyhanko.sign.fields import enumerate_sig_fields
    from pyhanko.sign.validation import async_validate_pdf_signature, async_validate_pdf_timestamp
    from pyhanko.sign.validation.status import SignatureCoverageLevel

    # The archive time-stamp fills a field that was there from the start; the certification allows that and nothing else.
    accepted = (Level.NONE, Level.LTA_UPDATES, Level.FORM_FILLING)
    reader = PdfFileReader(io.BytesIO(pdf))
    filled = [name for name, value, _ in enumerate_sig_fields(reader, filled_status=True)]
    faults = [f"{name}: not filled" for name in ("CourtSeal", "DocTS1") if name not in filled]
    embedded = {s.field_name: s for s in reader.embedded_signatures}
    faults += [f"{name}: not understood" for name in filled if name not in embedded]
    for name, signature in embedded.items():
        if signature.sig_object_type == "/DocTimeStamp":
            status: Any = await async_validate_pdf_timestamp(signature, validation_context=_context(keys, at))
        else:
            status = await async_validate_pdf_signature(
                signature, signer_validation_context=_context(keys, at), ts_validation_context=_context(keys, at)
            )
            if not status.docmdp_ok:
                faults.append(f"{name}: changed beyond what the certification allows")
        if not (status.intact and status.valid):
            faults.append(f"{name}: broken")
        if not status.trusted:
            faults.append(f"{name}: no path to the court's anchors")
        if status.coverage not in (SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION):
            faults.append(f"{name}: does not cover its revision")
        if status.modification_level not in accepted:
            faults.append(f"{name}: modified after signing")
    return faults


def _signer(keys: Path) -> Any:
    from pyhanko.sign.signers import SimpleSigner

    signer = SimpleSigner.load_pkcs12(keys / "seal.p12", passphrase=(keys / "seal.passphrase").read_bytes())
    if signer is None:  # the library answers a wrong passphrase with None
        raise SigningError("the e-seal key cannot be opened (wrong passphrase, or not a PKCS#12 file)")
    return signer


def _timestamper(keys: Path) -> Any:
    from pyhanko.sign.signers import SimpleSigner
    from pyhanko.sign.timestamps import DummyTimeStamper, HTTPTimeStamper

    if (keys / "tsa.url").exists():
        return HTTPTimeStamper((keys / "tsa.url").read_text(encoding="ascii").strip(), timeout=TSA_SECONDS_MAX)
    tsa = SimpleSigner.load_pkcs12(keys / "tsa.p12", passphrase=(keys / "tsa.passphrase").read_bytes())
    if tsa is None:
        raise SigningError("the local time-stamping key cannot be opened")
    return DummyTimeStamper(tsa.signing_cert, tsa.signing_key, certs_to_embed=tsa.cert_registry)


def _context(keys: Path, at: datetime | None = None) -> Any:
    from asn1crypto import crl
    from pyhanko.keys import load_certs_from_pemder
    from pyhanko_certvalidator import ValidationContext

    return ValidationContext(
        trust_roots=list(load_certs_from_pemder([str(p) for p in sorted((keys / "roots").glob("*.pem"))])),
        crls=[crl.CertificateList.load(p.read_bytes()) for p in sorted((keys / "crls").glob("*.crl"))],
        allow_fetching=False,
        revocation_mode="hard-fail",
        moment=at,
        best_signature_time=at,
    )


def _stamp(lines: tuple[str, ...], fonts: Path) -> Any:
    from pyhanko.stamp import StaticStampStyle

    from .seal_picture import seal_content

    return StaticStampStyle(background=seal_content(lines, fonts=fonts), border_width=0, background_opacity=1.0)
