"""The public page that a file is shown to: what it answers, how often, and what it keeps (nothing)."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from evidence.reports import dropped, public, public_file
from evidence.runs.jail import JailError
from portal.ledger import sequencer
from portal.ledger.models import Entry
from portal.people import limits
from portal.people.models import Attempt

from .test_dropped import issued

pytestmark = pytest.mark.django_db
FILE, CHECK = "/reports/check/file/", "/reports/check/"


@pytest.fixture
def door(desk: Path, ledger_dir: Path) -> Client:
    return Client()


def show(client: Client, data: bytes, **headers: str) -> Any:
    return client.post(FILE, {"report": SimpleUploadedFile("r.pdf", data, "application/pdf")}, **headers)


def words(response: Any) -> str:
    return str(response.content.decode())


@pytest.mark.django_db(transaction=True)
def test_the_court_s_file_with_its_place_in_the_ledger(door: Client, sealed: bytes) -> None:
    revision = issued(sealed)
    early = words(show(door, sealed))
    assert "有效" in early and "HY2026-000001" in early and "还没有完成" in early
    sequencer.sequence()
    sequencer.sign_head()
    assert "签名账本之中" in words(show(door, sealed))
    proof = door.get(f"/reports/check/proof/{revision.sha256}/")
    assert proof.content.startswith(b"c2sp.org/tlog-proof@v1\nindex ") and proof.headers["Content-Disposition"].startswith("attachment")


def test_a_report_that_was_revoked(door: Client, sealed: bytes) -> None:
    issued(sealed, state="revoked")
    assert "已撤销" in words(show(door, sealed)) and "有效" not in words(show(door, sealed))


def test_something_added_is_said_first(door: Client, sealed: bytes) -> None:
    issued(sealed)
    answer = words(show(door, sealed + b"\n%%EOF"))
    assert "签发之后被添加过内容" in answer and "添加的字节数：6" in answer
    assert answer.index("添加过内容") < answer.index("有效")


@pytest.mark.parametrize("kind", [k for k in dropped.Kind if k not in (dropped.Kind.ISSUED, dropped.Kind.EXTENDED)])
def test_what_is_no_report_is_never_called_in_force(door: Client, monkeypatch: pytest.MonkeyPatch, kind: dropped.Kind) -> None:
    checks = (("CourtSeal<script>", "SIG.INTACT", "FAILED"),)
    monkeypatch.setattr(dropped, "look", lambda path, **_: dropped.Looked(kind, "0" * 64, checks=checks))
    answer = words(show(door, b"%PDF-"))
    assert "有效" not in answer and "CourtSeal&lt;script&gt;" in answer


def test_what_was_sent_is_not_kept(door: Client, settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "uploads")
    (tmp_path / "uploads").mkdir()
    before = sorted(p for p in tmp_path.rglob("*") if p.is_file())
    assert show(door, b"GIF89a").status_code == 200
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == before and not Entry.objects.exists()


@pytest.mark.parametrize("data", [{}, {"report": ""}, {"other": SimpleUploadedFile("r.pdf", b"x")}, {"report": SimpleUploadedFile("r.pdf", b"")}])
def test_no_file_is_said(door: Client, data: dict[str, Any]) -> None:
    answer = door.post(FILE, data)
    assert answer.status_code == 422 and "请选择报告的 PDF 文件" in words(answer)


def test_a_file_that_is_too_large_is_not_read_to_its_end(door: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_file, "FILE_MAX", 1 << 20)
    answer = show(door, b"%PDF-" + bytes(2 << 20))
    assert answer.status_code == 422 and "文件太大" in words(answer)
    assert "编号和查验码仍可以查" in words(answer) and "回到查验报告" in words(answer) and "查验另一份" not in words(answer)


def test_a_form_without_its_token_is_refused(desk: Path) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert show(strict, b"%PDF-").status_code == 403
    assert door_get(strict) == 405


def door_get(client: Client) -> int:
    return int(client.get(FILE).status_code)


def test_one_file_at_a_time(door: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process holds the lock."""
    from django.db import connections

    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [public_file.ONE_AT_A_TIME])
        answer = show(door, b"%PDF-")
        assert answer.status_code == 503 and "请过一分钟再试" in words(answer)
        with other.cursor() as cursor:  # a closed session gives its locks back when the server gets to it
            cursor.execute("SELECT pg_advisory_unlock(%s)", [public_file.ONE_AT_A_TIME])
    finally:
        other.close()
    assert show(door, b"GIF89a").status_code == 200

    def broken(path: Path, **_: object) -> dropped.Looked:
        raise JailError("no jail here")

    monkeypatch.setattr(dropped, "look", broken)
    assert show(door, b"%PDF-").status_code == 503
    monkeypatch.undo()
    assert show(door, b"GIF89a").status_code == 200, "the lock was given back"


def test_how_often_one_address_may_ask(door: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_file, "FILES_MAX", 3)
    monkeypatch.setattr(public, "QUESTIONS_MAX", 4)
    assert [show(door, b"GIF89a").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert show(door, b"GIF89a", REMOTE_ADDR="10.9.9.9").status_code == 200
    asked = {"number": "HY2026-000001", "code": "A" * 10}
    assert [door.get(CHECK, asked).status_code for _ in range(5)] == [200] * 4 + [429]
    assert door.get(CHECK).status_code == 200, "the empty form is always there"
    assert door.get(f"/reports/check/proof/{'0' * 64}/").status_code in (404, 429)


def test_an_address_is_a_network_of_ipv6_and_time_gives_the_questions_back(rf: Any) -> None:
    here, there = (rf.get("/", REMOTE_ADDR=f"2001:db8:1:2::{n}") for n in (1, 2))
    other = rf.get("/", REMOTE_ADDR="2001:db8:1:3::1")
    assert [limits.spent(r, "x", most=2, seconds=60) for r in (here, there, here)] == [False, False, True]
    assert not limits.spent(other, "x", most=2, seconds=60) and not limits.spent(here, "y", most=2, seconds=60)
    Attempt.objects.update(expires_at="2020-01-01T00:00:00Z")
    assert [limits.spent(here, "x", most=2, seconds=60) for _ in range(3)] == [False, False, True]


def test_no_proof_for_what_was_never_issued(door: Client) -> None:
    unknown = door.get(f"/reports/check/proof/{'0' * 64}/")
    assert unknown.status_code == 404 and b"c2sp" not in unknown.content
    assert io.BytesIO(door.get(CHECK).content).read().count(b'action="/reports/check/file/"') == 1
