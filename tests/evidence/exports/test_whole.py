"""Sixty exhibits of many kinds, from the order of a report to the archive in somebody else's hands; nothing stands in for anything.

Rendered, checked by a second person, signed, released, bound in volumes, packed, downloaded, unpacked, and then asked with programs that
are not ours: sha256sum, unzip, zipinfo, pdfsig, qpdf, and with the command line for outsiders.
"""

import csv
import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from cases.models import Role
from evidence.exports import working
from evidence.exports.queue import EXPORTS
from evidence.reports import bell as report_bell
from evidence.reports import decisions, issuing
from evidence.reports.models import Report
from portal.demonstration import authority
from tests import courtroom
from tests.anchor_packs import write_pack
from tests.evidence.reports.conftest import font_cache as font_cache  # a fixture
from tests.evidence.reports.test_bundle import PAGE, ROOT, TOKEN
from tests.evidence.verification import fisco3_exhibits as block
from tests.evidence.verification import pdf_exhibits as pdf
from tests.evidence.verification import warc_exhibits as warc
from tests.evidence.verification.test_command_line import run

from .desk import Desk

pytestmark = pytest.mark.django_db
COUNT = 60
CHAIN = block.built()


def kinds(n: int) -> Mapping[str, bytes]:
    """What exhibit `n` holds: seven kinds in turn, no two exhibits with the same bytes but for those under a proof."""
    chained = block.files(CHAIN)
    name = next(name for name, data in chained.items() if data == block.PAGE)
    return (
        {"网页.html": PAGE, "时间戳.tsr": TOKEN},
        chained,
        {**chained, name: b"<!doctype html><title>changed %d</title>" % n},
        {f"聊天记录{n}.txt": f"第{n}份聊天记录\n".encode()},
        {"page.warc.gz": warc.made(compressed=True, pages=1 + n % 3)},
        {"合同.pdf": pdf.document(pdf.text(f"Contract {n}")).data, "附件.csv": b"a,b\r\n1,%d\r\n" % n},
        {"photo.png": courtroom.PICTURE, "说明.json": json.dumps({"n": n}).encode()},
    )[n % 7]


@pytest.fixture
def desk(settings: Any, tmp_path: Path, font_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    chain = {"profile": CHAIN.profile, "validators": dict(CHAIN.validators)}
    settings.PORTAL_VAULT_DIR, settings.PORTAL_EXPORT_DIR = tmp_path / "vault", tmp_path / "exports"
    settings.PORTAL_TRUST_DIR = write_pack(tmp_path / "pack", tsa_roots=[ROOT.pem], chains={"chain": chain})
    settings.PORTAL_SIGNING_DIR, settings.PORTAL_DATA_DIR = tmp_path / "signing", font_cache
    authority.ensure(tmp_path / "signing", at=datetime.now(UTC), people={"clerk": "书记员王芳", "judge-w": "法官李敏"})
    settings.PORTAL_PUBLIC_URL = "https://court.example"
    monkeypatch.setattr(EXPORTS, "ring", lambda: True)
    monkeypatch.setattr(report_bell, "ring", lambda report_id: None)
    return Desk(tmp_path / "pack")


def released(desk: Desk, verdicts: list[Any]) -> Report:
    """Through every hand it must go through."""
    judge, assistant = courtroom.person("judge-w"), courtroom.person("assistant-w")
    courtroom.join(judge, desk.case, Role.PRESIDING_JUDGE)
    courtroom.join(assistant, desk.case, Role.JUDGE_ASSISTANT)
    with transaction.atomic():
        made = issuing.order(desk.case, verdicts, by=desk.clerk)
    made = issuing.produce(made.pk)
    assert made.state == "draft", made.fault
    decisions.check(made, by=assistant, annex=made.annex_sha256)
    decisions.send(made, by=judge, annex=made.annex_sha256)
    made = issuing.produce(made.pk)
    assert made.state == "signed", made.fault
    return decisions.release(made, by=judge)


def outside(*command: str | Path, cwd: Path) -> str:
    """A program that is not ours; one that is absent is said by the caller."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, check=False)
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout.decode(errors="replace")


@pytest.mark.needs("pdfsig", "qpdf")
def test_sixty_exhibits_from_the_order_to_other_hands(desk: Desk, tmp_path: Path) -> None:
    exhibits = [desk.exhibit(name=f"证据材料 {n}", files=kinds(n)) for n in range(1, COUNT + 1)]
    verdicts = [desk.verified(e) for e in exhibits]
    assert {v.overall for v in verdicts} == {"CONSISTENT", "INCONSISTENT", "INDETERMINATE"}
    report = released(desk, verdicts)
    assert report.volumes.count() == 2 and report.signature_level == "PAdES-B-LTA"

    # ── taken as the clerk takes it ──
    client = Client()
    client.force_login(desk.clerk)
    client.post(reverse("exports:make", args=[desk.case.public_id]), {"whole": "yes"})
    assert working.work_once()
    made = desk.case.exports.get()
    assert made.state == "done", made.fault
    answer = client.get(reverse("exports:download", args=[made.public_id]))
    taken = tmp_path / "taken.zip"
    with taken.open("wb") as out:
        for piece in answer.streaming_content:
            out.write(piece)
    assert hashlib.sha256(taken.read_bytes()).hexdigest() == made.sha256

    # ── in other hands ──
    place = tmp_path / "out"
    zipfile.ZipFile(taken).extractall(place)
    outside("sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS", cwd=place)
    for program in ("unzip", "zipinfo"):
        if shutil.which(program):
            outside(program, "-t", taken, cwd=place)
    listed = {line.split("  ", 1)[1] for line in (place / "SHA256SUMS").read_text().splitlines()}
    assert listed | {"SHA256SUMS"} == {str(p.relative_to(place)) for p in place.rglob("*") if p.is_file()}
    number = report.number
    main = place / f"报告/{number}.pdf"
    bound = [place / f"报告/{number}-第{n}卷-volume-{n}.pdf" for n in (1, 2)]
    assert [hashlib.sha256(p.read_bytes()).hexdigest() for p in (main, *bound)] == [report.signed_sha256, *(v.sha256 for v in report.volumes.all())]

    # The signatures of the report, by poppler: the e-seal, whoever made it and whoever signed it. It reads no time-stamp (Type: unknown).
    signatures = outside("pdfsig", "-nocert", main, cwd=place)
    signed = [part for part in signatures.split("Signature #")[1:] if "is not signed" not in part]
    of_persons = [part for part in signed if "Signature Type: ETSI.CAdES.detached" in part]
    assert len(of_persons) == 3 and all("Signature Validation: Signature is Valid." in part for part in of_persons), signatures
    last = [part for part in signed if "- Total document signed" in part]
    assert len(last) == 1 and "DocTS" in last[0], "nothing stands behind the archive time-stamp"
    for path in (main, *bound):
        outside("qpdf", "--check", path, cwd=place)
    # The digests of the volumes and of the bundle stand in what was signed: on the page and in the attachment.
    printed = re.sub(r"\s", "", "".join(p.get_textpage().get_text_bounded() for p in pypdfium2.PdfDocument(main.read_bytes())))
    with pikepdf.open(main) as opened:
        annex = bytes(opened.attachments["result.json"].get_file().read_bytes())
    for volume in report.volumes.all():
        assert volume.sha256 in printed and volume.sha256.encode() in annex

    # The bundle says every result again, byte for byte.
    bundle = place / f"核验包/{number}-核验包.zip"
    held = zipfile.ZipFile(bundle)
    digest = hashlib.sha256(held.read("bundle.json")).hexdigest()
    assert digest in printed, "whoever holds the signed report can ask for this bundle and no other"
    done = run("--json", "--digest", digest, bundle)
    stored = {bytes(v.document) for v in report.verdicts.all()}
    said = done.stdout.splitlines()
    assert done.returncode == 0 and len(said) == COUNT and set(said) == stored, done.stderr
    assert held.read("report.pdf") == main.read_bytes() and held.read("annex.json") == annex

    # Every digest of the catalogue is of a file that lies in the bundle and has that digest.
    rows = list(csv.reader((place / "证据目录.csv").read_text("utf-8-sig").splitlines()))
    assert len(rows) == 1 + COUNT and {row[11] for row in rows[1:]} == {number}
    for row, exhibit in zip(rows[1:], exhibits, strict=True):
        digests = row[13].split()
        assert digests == [f.sha256 for f in exhibit.files.order_by("position")] and int(row[7]) == len(digests)
        for digest in digests:
            assert hashlib.sha256(held.read(f"blobs/{digest}")).hexdigest() == digest
    # One changed byte of a file in the bundle is no longer that result.
    spoilt = tmp_path / "spoilt.zip"
    data, victim = bytearray(bundle.read_bytes()), f"blobs/{exhibits[2].files.first().sha256}"  # type: ignore[union-attr]
    info = held.getinfo(victim)
    data[info.header_offset + 30 + len(info.filename.encode()) + 2] ^= 1
    spoilt.write_bytes(data)
    assert run("--digest", digest, spoilt).returncode not in (0, 2)
