"""What an export holds, from rows of the record to what an outsider can do with it."""

import csv
import hashlib
import io
import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from evidence.exports import archive, listing, names
from evidence.exports.models import Export
from evidence.reports import bundle
from evidence.reports.models import Report
from portal.vault import Vault
from tests import courtroom
from tests.evidence.verification.test_command_line import run

from .desk import EVIL, Desk

PDF, ANNEX, BUNDLE = "报告/HY2026-000001.pdf", "报告/HY2026-000001-annex.json", "核验包/HY2026-000001-核验包.zip"


def opened(export: Export) -> zipfile.ZipFile:
    assert export.state == Export.State.DONE, export.fault
    return zipfile.ZipFile(archive.path(export.public_id, export.attempt))


def table(export: Export) -> list[list[str]]:
    return list(csv.reader(io.StringIO(opened(export).read("证据目录.csv").decode("utf-8-sig"))))


def test_a_whole_case(desk: Desk, tmp_path: Path) -> None:
    """Reports, bundles, catalogue, guide, digests; the bundle repeats by the command that outsiders use, byte for byte."""
    one, two = desk.exhibit(name="快照一"), desk.exhibit(name="快照二", files={"b.txt": b"b"})
    without = desk.exhibit(name="没有报告", files={"c.txt": b"c"})
    report = desk.reported(one, two)
    made = desk.made(whole=True)
    found = opened(made)
    assert found.namelist() == ["证据目录.csv", "证据目录.html", PDF, ANNEX, BUNDLE, "README.txt", "SHA256SUMS"]
    path = archive.path(made.public_id, made.attempt)
    assert (made.sha256, made.size) == (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
    assert found.read(PDF) == f"%PDF-1.7 signed {report.number}".encode()
    inner = tmp_path / "inner.zip"
    inner.write_bytes(found.read(BUNDLE))
    done = run("--json", inner)
    documents = [bytes(v.document) for v in report.verdicts.order_by("run__exhibit__number")]
    assert (done.returncode, done.stdout) == (3, b"\n".join(documents) + b"\n"), "repeated; whose trust store it is was not checked"
    parts = zipfile.ZipFile(inner)
    assert hashlib.sha256(found.read(ANNEX)).hexdigest() == report.annex_sha256 and parts.read("report.pdf") == found.read(PDF)
    found.extractall(tmp_path / "out")
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path / "out", check=False).returncode == 0
    guide = found.read("README.txt").decode("utf-8-sig")
    assert "原告证据3" in guide and made.sha256 not in guide and hashlib.sha256(found.read(PDF)).hexdigest() in guide
    rows = table(made)
    assert [r[0] for r in rows[1:]] == ["原告证据1", "原告证据2", "原告证据3"]
    assert [r[11] for r in rows[1:]] == ["HY2026-000001", "HY2026-000001", listing.NO_REPORT]
    assert rows[3][13] == without.files.get().sha256 and Report.objects.count() == 1


@pytest.mark.parametrize("other", [False, True])
def test_an_annex_that_states_its_bundle_goes_into_it(desk: Desk, other: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that states another bundle is a fault of ours that is said; nothing is handed out."""
    one = desk.exhibit()
    report = desk.reported(one)
    verdicts = [("原告证据1", report.verdicts.get())]
    digest = "0" * 64 if other else bundle.plan(report.number, verdicts).sha256
    annex = Vault(tmp_path / "vault").put_bytes(json.dumps({"reverify": {"bundle_digest": {"alg": "SHA-256", "hex": digest}}}).encode()).sha256
    plain = Vault.read
    monkeypatch.setattr(Vault, "read", lambda vault, sha256: plain(vault, annex if sha256 == report.annex_sha256 else sha256))
    made = desk.made(one)
    if other:
        assert made.state == Export.State.PARKED and made.fault_code == "BUNDLE" and not list((tmp_path / "exports").iterdir())
        return
    (inner := tmp_path / "inner.zip").write_bytes(opened(made).read(BUNDLE))
    assert ANNEX not in opened(made).namelist() and "annex.json" in zipfile.ZipFile(inner).namelist() and run(inner).returncode == 3


def test_the_same_parts_give_the_same_bytes(desk: Desk) -> None:
    exhibit = desk.exhibit()
    desk.reported(exhibit)
    first, second = desk.made(exhibit), desk.made(exhibit)
    assert first.pk != second.pk and first.sha256 == second.sha256


def test_what_a_party_wrote_is_no_path_and_no_formula(desk: Desk) -> None:
    """To see it fail: name a member after an exhibit, or write a cell as it is."""
    one = desk.exhibit(name=EVIL, purpose="+1+cmd|' /C calc'!A0\n@x", origin="\u3000＝1\u202e<script>", files={"../../evil.sh": b"x", "con": b"y"})
    desk.reported(one)
    made = desk.made(one)
    assert {n.partition("/")[0] for n in opened(made).namelist()} == {"证据目录.csv", "证据目录.html", "报告", "核验包", "README.txt", "SHA256SUMS"}
    row = table(made)[1]
    assert row[1] == f"'{EVIL}" and row[6].startswith("'+1") and "\n" not in row[6]
    assert row[5].startswith("'") and "〔U+202E〕" in row[5]
    page = opened(made).read("证据目录.html").decode()
    assert "<script" not in page and "&lt;script&gt;" in page
    raw = opened(made).read("证据目录.csv")
    assert raw.startswith(b"\xef\xbb\xbf") and b"\r\n" in raw


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "  =1", "\u3000-1", "＝1", "＋1", "－1", "＠x", "'=1"])
def test_cells_are_disarmed(text: str) -> None:
    assert listing.cell(text) == f"'{text}" and listing.cell("原告") == "原告"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HY2026-000001", "HY2026-000001"),
        ("（2026）川01民初1号", "（2026）川01民初1号"),
        ("..", "_"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\x", "C__x"),
        ("nul", "_nul"),
        ("CON.txt", "_CON.txt"),
        ("COM¹", "_COM¹"),
        ("a. . ", "a"),
        ("a\u202eb\x00c", "abc"),
        ("e\u0301", "é"),
        ("", "_"),
    ],
)
def test_names_hold_on_every_system(text: str, expected: str) -> None:
    assert names.safe(text) == expected


def test_no_two_members_meet_where_case_does_not_count() -> None:
    taken = names.Names()
    assert [taken.take("报告/", n, ".pdf") for n in ("Ab", "aB", "ab")] == ["报告/Ab.pdf", "报告/aB~2.pdf", "报告/ab~3.pdf"]
    assert len(taken.take("", "长" * 300, ".zip")) < 100


def test_a_sealed_case_gives_digests_only(desk: Desk, tmp_path: Path) -> None:
    one = desk.exhibit(files={"a.txt": b"very secret"})
    desk.reported(one)
    type(desk.case).objects.filter(pk=desk.case.pk).update(sealed=True)
    made = desk.made(one)
    found = opened(made)
    assert b"very secret" not in found.read(BUNDLE) and one.files.get().sha256.encode() in found.read(BUNDLE)
    assert "digests only" in table(made)[1][12]
    inner = tmp_path / "inner.zip"
    inner.write_bytes(found.read(BUNDLE))
    given = tmp_path / "a.txt"
    given.write_bytes(b"very secret")
    assert run(inner).returncode == 2 and run(inner, given).returncode == 3


def test_the_newest_revision_with_its_volumes(desk: Desk, tmp_path: Path) -> None:
    one = desk.exhibit()
    report = desk.reported(one)
    vault = Vault(tmp_path / "vault")
    courtroom.revise(report, vault.put_bytes(b"%PDF-1.7 signed and renewed").sha256)
    assert opened(desk.made(one)).read(PDF) == b"%PDF-1.7 signed and renewed"


def test_reports_out_of_force_are_named_so_and_come_only_when_chosen(desk: Desk) -> None:
    one = desk.exhibit()
    old = desk.reported(one, state="revoked")
    assert [n for n in opened(desk.made(one)).namelist() if n.startswith("报告/")] == []
    assert "报告/HY2026-000001-已撤销-REVOKED.pdf" in opened(desk.made(reports=[old])).namelist()


def test_an_export_without_reports_is_a_catalogue(desk: Desk) -> None:
    made = desk.made(desk.exhibit())
    assert opened(made).namelist() == ["证据目录.csv", "证据目录.html", "README.txt", "SHA256SUMS"]
    assert len(table(made)[0]) == len(listing.HEADINGS)
