"""Sealing a report: PAdES-B-LTA with the court's e-seal (spec signed-report §6 steps 4 and 7, §7).

Keys lie in one directory (`settings.PORTAL_SIGNING_DIR`; the demonstration makes its own), beside the public anchors that
`checking` reads:

    seal.p12  seal.passphrase                  e-seal
    tsa.url | tsa.p12 + tsa.passphrase         time-stamps
    roots/  crls/  seals/                      see `checking`

With `tsa.url` the allow-listed time-stamping authority is asked; with `tsa.p12` a local one stamps (demonstration, tests).
"""

import asyncio
import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from . import pyhanko_patches
from .checking import ARCHIVE, SEAL, context

LEVEL = "PAdES-B-LTA"
TSA_SECONDS_MAX = 10
KEY_FILES = ("seal.p12", "seal.passphrase", "tsa.url", "tsa.p12", "tsa.passphrase")


class SigningError(RuntimeError):
    """The report was not signed: key, time-stamp or certificate. It stays unsigned; nothing is issued."""


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
    from pyhanko.sign.signers.pdf_signer import DSSContentSettings

    signer, timestamper = _loaded(keys, tuple(_version(keys / name) for name in KEY_FILES))
    metadata = PdfSignatureMetadata(
        field_name=SEAL,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.FILL_FORMS,
        embed_validation_info=True,
        # VRI dictionaries are a relic that no validator needs; without them nothing has to be added after the archive
        # time-stamp, and it covers the file to its last byte.
        dss_settings=DSSContentSettings(include_vri=False),
        use_pades_lta=True,
        timestamp_field_name=ARCHIVE,
        validation_context=context(keys),
    )
    out = io.BytesIO()
    await PdfSigner(metadata, signer=signer, timestamper=timestamper, stamp_style=stamp).async_sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(pdf)), existing_fields_only=True, output=out
    )
    return Signed(out.getvalue(), LEVEL)


def _version(file: Path) -> tuple[int, int] | None:
    """Changes when the file does."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _loaded(keys: Path, versions: tuple[tuple[int, int] | None, ...]) -> tuple[Any, Any]:
    """(signer, time-stamper), opened once: opening a key costs more than signing with it."""
    return _signer(keys), _timestamper(keys)


def _signer(keys: Path) -> Any:
    if not (keys / "seal.p12").exists():
        raise SigningError(f"there is no e-seal key: {keys / 'seal.p12'}")
    return _pkcs12(keys, "seal", "the e-seal key cannot be opened (wrong passphrase, or not a PKCS#12 file)")


def _timestamper(keys: Path) -> Any:
    from pyhanko.sign.timestamps import DummyTimeStamper, HTTPTimeStamper

    if (keys / "tsa.url").exists():
        return HTTPTimeStamper((keys / "tsa.url").read_text(encoding="ascii").strip(), timeout=TSA_SECONDS_MAX)
    if not (keys / "tsa.p12").exists():
        raise SigningError(f"there is no time-stamping authority: neither {keys / 'tsa.url'} nor tsa.p12")
    tsa = _pkcs12(keys, "tsa", "the local time-stamping key cannot be opened")
    return DummyTimeStamper(tsa.signing_cert, tsa.signing_key, certs_to_embed=tsa.cert_registry)


def _pkcs12(keys: Path, name: str, otherwise: str) -> Any:
    from pyhanko.sign import signers

    opened: Any = signers.SimpleSigner.load_pkcs12
    found = opened(keys / f"{name}.p12", passphrase=(keys / f"{name}.passphrase").read_bytes())
    if found is None:  # the library answers a wrong passphrase with None
        raise SigningError(otherwise)
    return found


def _stamp(lines: tuple[str, ...], fonts: Path) -> Any:
    from pyhanko.stamp import StaticStampStyle

    from .seal_picture import seal_content

    return StaticStampStyle(background=seal_content(lines, fonts=fonts), border_width=0, background_opacity=1.0)
