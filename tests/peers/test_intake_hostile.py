"""Every hostile file, and real files of every family, through intake: stored byte for byte or refused with a sentence, never a 500.

The vectors lie beside the repository, or where MINGJIAN_VECTORS says.
"""

import json
import os
import time
from pathlib import Path

import pytest

from evidence.intake.models import Upload
from tests.evidence.intake.conftest import (  # noqa: F401  (fixtures)
    Device,
    answered,
    attach,
    browser,
    case,
    court,
    device,
    litigant,
    page,
    vault_dir,
)

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("MINGJIAN_VECTORS") or ROOT.parent / "shared" / "vectors")
HOSTILE = VECTORS / "hostile" / "hostile"
BOMBS = VECTORS / "snapshots" / "bombs-generated"
SIZE_MAX = 8 << 20
SECONDS_MAX = 2.0
"""Looking at a file costs a few reads: nothing is inflated, whatever it claims."""

if not HOSTILE.is_dir():
    pytest.skip(f"NOT RUN: no vectors in {VECTORS}; set MINGJIAN_VECTORS", allow_module_level=True)

pytestmark = pytest.mark.django_db
FILES = sorted(p for folder in (HOSTILE, BOMBS) if folder.is_dir() for p in folder.iterdir() if p.is_file())
OTHERS = sorted(
    p
    for p in VECTORS.rglob("*")
    if p.is_file() and p.parent not in (HOSTILE, BOMBS) and 0 < p.stat().st_size < SIZE_MAX
)[::25]
"""One in twenty-five of all the other vectors: real certificates, blocks, snapshots, PDFs, tokens."""

KINDS = {
    "polyglot-pdf-zip.pdf": ("application/pdf", "ALSO_PARSES"),
    "cert-nan.json": ("text/plain", "TYPE_MISMATCH"),
    "cert-deep-100k.json": ("text/plain", "TYPE_MISMATCH"),
    "cert-utf16.json": ("text/plain", "TYPE_MISMATCH"),
    "cert-bom.json": ("text/plain", "TYPE_MISMATCH"),
    "svg-script.svg": ("image/svg+xml", None),
    "gzip-bomb-600MiB.warc.gz": ("application/gzip", None),
    "zip-slip.wacz": ("application/wacz", None),
}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_stored_byte_for_byte_or_refused_with_a_sentence(device: Device, vault_dir: Path, path: Path) -> None:  # noqa: F811
    data = path.read_bytes()
    begun = time.monotonic()
    if not data:
        assert device.create(path.name, 0).status_code == 422
        return
    response = device.send(path.name, data)
    assert time.monotonic() - begun < SECONDS_MAX
    upload = Upload.objects.get()
    if response.status_code == 200:
        stored = vault_dir / "sha256" / upload.sha256[:2] / upload.sha256[2:4] / upload.sha256
        assert stored.read_bytes() == data
    else:
        assert response.status_code == 422 and json.loads(response.content)["message"]
        assert not list(vault_dir.rglob(upload.sha256 or "none"))
    html = device.browser.get(page(device.draft, "files"))
    assert html.status_code == 200
    assert b"<script>alert" not in html.content
    if path.name in KINDS:
        media_type, code = KINDS[path.name]
        assert upload.detected_type == media_type
        assert code is None or code in [w["code"] for w in upload.warnings], upload.warnings


def test_all_of_them_at_once_through_the_plain_form(browser: object, vault_dir: Path) -> None:  # noqa: F811
    draft = answered(browser)  # type: ignore[arg-type]
    files = [(p.name, p.read_bytes()) for p in FILES if 0 < p.stat().st_size < SIZE_MAX][:50]
    response = attach(browser, draft, *files)  # type: ignore[arg-type]
    assert response.status_code == 302
    assert draft.uploads.filter(state="arrived").count() == len(files)


@pytest.mark.parametrize("path", OTHERS, ids=lambda p: str(p.relative_to(VECTORS)))
def test_every_other_file_is_taken(device: Device, path: Path) -> None:  # noqa: F811
    assert device.send(path.name, path.read_bytes()).status_code == 200
