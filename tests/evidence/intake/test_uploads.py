"""The resumable protocol: offsets, resumption, digests of the device, bounds, and nobody else's drafts."""

from __future__ import annotations

import errno
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from cases.models import Case
from evidence.intake import limits
from evidence.intake.models import Draft, Upload
from portal.ledger.models import Detail
from portal.people.models import User
from portal.vault import Staging

from . import samples
from .conftest import Device, answered, page, sha256, signed_in, sm3, stored

pytestmark = pytest.mark.django_db
DATA = os.urandom(3000)


def begun(device: Device, data: bytes = DATA, name: str = "page.bin", **more: Any) -> str:
    created = device.create(name, len(data), **more)
    assert created.status_code == 201, created.content
    return str(created["Location"])


def code(response: Any) -> str:
    return str(json.loads(response.content)["code"])


def vault_file(directory: Path, digest: str) -> Path:
    return directory / "sha256" / digest[:2] / digest[2:4] / digest


# ── the way through ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_in_three_parts(device: Device, vault_dir: Path) -> None:
    location = begun(device)
    for start in (0, 1000, 2000):
        assert device.offset(location) == start
        response = device.patch(location, DATA[start : start + 1000], offset=start)
        assert (response.status_code, response["Upload-Offset"]) == (204, str(start + 1000))
    response = device.digests(location, DATA)
    assert response.status_code == 200
    assert "已收到，与您设备上的文件完全相同" in json.loads(response.content)["card"]
    upload = Upload.objects.get()
    assert (upload.state, upload.sha256, upload.sm3) == ("arrived", sha256(DATA), sm3(DATA))
    assert (upload.device_sha256, upload.device_sm3) == (sha256(DATA), sm3(DATA))
    assert vault_file(vault_dir, sha256(DATA)).read_bytes() == DATA
    assert stored(vault_dir) == [sha256(DATA)], "nothing is left of the parts"


@pytest.mark.parametrize("override", [True, False], ids=["POST with override", "PATCH"])
def test_both_ways_to_append(device: Device, override: bool) -> None:
    location = begun(device)
    assert device.patch(location, DATA, offset=0, override=override).status_code == 204
    assert device.offset(location) == len(DATA)


def test_the_answers_speak_tus(device: Device) -> None:
    created = device.create("a.bin", 10)
    head = device.browser.head(created["Location"])
    assert (created["Tus-Resumable"], head["Tus-Resumable"]) == ("1.0.0", "1.0.0")
    assert (head["Upload-Offset"], head["Upload-Length"]) == ("0", "10")
    assert "no-store" in head["Cache-Control"]


def test_ending_twice_changes_nothing(device: Device) -> None:
    location = begun(device)
    device.patch(location, DATA, offset=0)
    first, second = device.digests(location, DATA), device.digests(location, DATA)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content


def test_an_arrived_file_takes_nothing_more(device: Device) -> None:
    location = begun(device)
    device.patch(location, DATA, offset=0)
    device.digests(location, DATA)
    assert device.offset(location) == len(DATA)
    assert device.patch(location, b"x", offset=len(DATA)).status_code == 410
    assert device.digests(location, b"other").status_code == 410


@pytest.mark.django_db(transaction=True)
def test_taking_a_file_back(litigant: User, case: Case, vault_dir: Path) -> None:
    device = Device(signed_in(litigant), answered(signed_in(litigant)))
    location = begun(device)
    device.patch(location, DATA, offset=0)
    response = device.browser.post(location, headers={"X-HTTP-Method-Override": "DELETE"})
    assert response.status_code == 204
    assert Upload.objects.get().state == "removed"
    assert device.browser.head(location).status_code == 410
    assert stored(vault_dir) == []


# ── coming back ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_file_goes_on_where_it_stopped(device: Device, litigant: User) -> None:
    location = begun(device, head=DATA)
    device.patch(location, DATA[:1200], offset=0)
    another_device = Device(signed_in(litigant), device.draft)
    again = another_device.create("page.bin", len(DATA), head=DATA)
    assert (again.status_code, again["Location"], again["Upload-Offset"]) == (200, location, "1200")
    another_device.patch(location, DATA[1200:], offset=1200)
    assert another_device.digests(location, DATA).status_code == 200
    assert Upload.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "size", "head"),
    [
        ("other.bin", 3000, DATA),
        ("page.bin", 2999, DATA),
        ("page.bin", 3000, b"another beginning"),
        ("page.bin", 3000, None),
    ],
    ids=["name", "size", "first part", "no first part told"],
)
def test_another_file_begins_anew(device: Device, name: str, size: int, head: bytes | None) -> None:
    location = begun(device, head=DATA)
    again = device.create(name, size, head=head)
    assert again.status_code == 201
    assert again["Location"] != location


def test_a_draft_left_open_says_how_to_go_on(device: Device) -> None:
    location = begun(device, head=DATA)
    device.patch(location, DATA[:1500], offset=0)
    html = device.browser.get(page(device.draft, "files")).content.decode()
    assert "已保存到 50%。请再选一次同一个文件，从这里继续" in html
    stays = device.browser.post(page(device.draft, "files"), {"action": "continue", "end": "whole"})
    assert stays.status_code == 422
    assert "还有文件没有传完" in stays.content.decode()


def test_a_row_without_its_bytes_must_be_sent_again(device: Device, vault_dir: Path) -> None:
    """Whoever knows a digest is not believed to have sent the file, even if the vault holds it."""
    device.send("first.bin", DATA)
    location = begun(device, head=DATA)
    device.patch(location, DATA, offset=0)
    for part in (vault_dir / "staging").iterdir():
        part.unlink()
    response = device.digests(location, DATA)
    assert response.status_code == 410
    assert [u.state for u in Upload.objects.order_by("pk")] == ["arrived", "removed"]


@pytest.mark.django_db(transaction=True)
def test_asking_for_the_offset_while_it_is_sealed_loses_nothing(litigant: User, case: Case) -> None:
    """Between sealing and the row the bytes are in neither place: whoever asks then has to wait, not to give it up."""
    draft = answered(signed_in(litigant))
    device = Device(signed_in(litigant), draft)
    location = begun(device)
    device.patch(location, DATA, offset=0)
    sealed, asked = threading.Event(), threading.Event()
    seal = Staging.seal

    def slow(self: Staging, upload_id: str, *, expected_sha256: str) -> object:
        result = seal(self, upload_id, expected_sha256=expected_sha256)
        sealed.set()
        asked.wait(0.5)
        return result

    def ask() -> int:
        try:
            sealed.wait(5)
            answer = Device(signed_in(litigant), draft).browser.head(location)
            asked.set()
            return int(answer["Upload-Offset"])
        finally:
            connections.close_all()

    with mock.patch.object(Staging, "seal", slow), ThreadPoolExecutor(1) as pool:
        other = pool.submit(ask)
        assert device.digests(location, DATA).status_code == 200
        assert other.result() == len(DATA)
    assert Upload.objects.get().state == "arrived"


# ── what can go wrong ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_offset_is_told_the_right_one(device: Device) -> None:
    location = begun(device)
    device.patch(location, DATA[:1000], offset=0)
    for offset in (0, 999, 1001, 2999):
        response = device.patch(location, DATA[1000:], offset=offset)
        assert (response.status_code, response["Upload-Offset"]) == (409, "1000")
    assert device.offset(location) == 1000


def test_more_than_announced_is_refused_whole(device: Device) -> None:
    location = begun(device)
    assert device.patch(location, DATA + b"x", offset=0).status_code == 413
    assert device.offset(location) == 0


def test_a_part_has_a_bound(device: Device) -> None:
    location = begun(device, b"\0" * (limits.PART_BYTES + 1))
    response = device.patch(location, b"\0" * (limits.PART_BYTES + 1), offset=0)
    assert response.status_code == 413
    assert device.offset(location) == 0


@pytest.mark.parametrize(
    "headers",
    [{"Upload-Offset": ""}, {"Upload-Offset": "-1"}, {"Upload-Offset": "1e3"}, {"Upload-Offset": "١"}],
)
def test_an_offset_is_a_number(device: Device, headers: dict[str, str]) -> None:
    assert device.patch(begun(device), DATA, offset=0, **headers).status_code == 400


def test_a_part_says_its_type(device: Device) -> None:
    location = begun(device)
    response = device.browser.post(
        location,
        DATA,
        content_type="application/json",
        headers={"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"},
    )
    assert response.status_code == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"Upload-Length": ""},
        {"Upload-Length": "-5"},
        {"Upload-Length": "9" * 19},
        {"Upload-Metadata": "filename !!!"},
        {"Upload-Metadata": "filetype eA=="},
        {"Upload-Metadata": "filename /w=="},
        {"Upload-Metadata": "filename " + "QUFB" * 2000},
        {"Upload-Metadata": "filename eA==,head_sha256 eA=="},
    ],
    ids=["no size", "negative", "19 digits", "no base64", "no name", "no UTF-8", "too long", "no digest"],
)
def test_a_malformed_beginning(device: Device, headers: dict[str, str]) -> None:
    assert device.create("a", 5, **headers).status_code == 400
    assert not Upload.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "options", "patch", "delete"])
def test_methods_that_do_not_exist(device: Device, method: str) -> None:
    assert getattr(device.browser, method)(device.at).status_code == 405
    location = begun(device)
    if method not in {"patch", "delete"}:
        assert getattr(device.browser, method)(location).status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"sha256": 1, "sm3": 2}',
        b'{"sha256": "AB", "sm3": "CD"}',
        b"\xff",
        b"[" * 2000,
    ],
)
def test_malformed_digests(device: Device, body: bytes) -> None:
    location = begun(device)
    device.patch(location, DATA, offset=0)
    response = device.browser.post(f"{location}digests/", body, content_type="application/json")
    assert response.status_code == 400
    assert Upload.objects.get().state == "arriving"


def test_digests_before_the_end_tell_the_offset(device: Device) -> None:
    location = begun(device)
    device.patch(location, DATA[:10], offset=0)
    response = device.digests(location, DATA)
    assert (response.status_code, response["Upload-Offset"]) == (409, "10")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wrong", ["sha256", "sm3"])
def test_a_file_that_changed_on_the_way_is_refused_and_remembered(
    device: Device, vault_dir: Path, wrong: str
) -> None:
    """U2: the device hashed something else than arrived."""
    location = begun(device)
    device.patch(location, DATA, offset=0)
    response = device.digests(location, DATA, **{wrong: "0" * 64})
    assert (response.status_code, code(response)) == (422, "UPLOAD_CHANGED")
    assert "传送途中发生变化" in json.loads(response.content)["message"]
    upload = Upload.objects.get()
    assert (upload.state, upload.refusal, upload.sha256) == ("refused", "UPLOAD_CHANGED", "")
    assert Detail.objects.filter(act="evidence.mismatch").count() == 1
    if wrong == "sha256":
        assert stored(vault_dir) == []
    html = device.browser.get(page(device.draft, "files")).content.decode()
    assert "传送途中发生变化" in html
    assert device.browser.get(page(device.draft, "purpose")).status_code == 302, "a refused file is no file"


@pytest.mark.django_db(transaction=True)
def test_what_quarantine_refuses_never_becomes_an_object(
    device: Device, vault_dir: Path, settings: Any
) -> None:
    settings.PORTAL_UPLOAD_REFUSED = {"text/x-shellscript"}
    response = device.send("run.sh", b"#!/bin/sh\n")
    assert (response.status_code, code(response)) == (422, "UPLOAD_TYPE")
    assert stored(vault_dir) == []


def test_a_scanner_that_is_away_keeps_the_bytes_for_the_next_try(
    device: Device, settings: Any, tmp_path: Path
) -> None:
    settings.PORTAL_CLAMD = str(tmp_path / "away")
    location = begun(device)
    device.patch(location, DATA, offset=0)
    assert device.digests(location, DATA).status_code == 503
    settings.PORTAL_CLAMD = ""
    assert device.digests(location, DATA).status_code == 200


def test_a_full_disk_is_507_with_a_sentence(device: Device, vault_dir: Path) -> None:
    location = begun(device)
    full = OSError(errno.ENOSPC, "No space left on device")
    with mock.patch("portal.vault.staging.write_all", side_effect=full):
        response = device.patch(location, DATA, offset=0)
    assert (response.status_code, code(response)) == (507, "UPLOAD_FULL")
    assert "存储空间暂时不足" in json.loads(response.content)["message"]
    assert device.offset(location) == 0
    assert device.browser.get(page(device.draft, "files")).status_code == 200, "the portal stays readable"
    with mock.patch("portal.vault.staging.os.open", side_effect=full):
        assert device.create("b.bin", 5).status_code == 507
    assert Upload.objects.count() == 1, "no row without its place"
    device.patch(location, DATA, offset=0)
    with mock.patch("portal.vault.objects.os.link", side_effect=full):
        assert device.digests(location, DATA).status_code == 507
    assert device.digests(location, DATA).status_code == 200


def test_names_of_every_kind(device: Device) -> None:
    for name in (
        "证" * 300 + ".pdf",
        "evil\u202efdp.exe",
        "../../etc/passwd",
        "nul\0.pdf",
        "<img src=x onerror=alert(1)>.html",
        "%(n)s {p}.txt",
    ):
        assert device.send(name, name.encode()).status_code == 200
    html = device.browser.get(page(device.draft, "files")).content.decode()
    assert "\u202e" not in html and "〔U+202E〕" in html
    assert "<img" not in html and "&lt;img" in html
    assert "..／..／etc／passwd" in html
    assert all(len(u.name) <= 255 for u in Upload.objects.all())


@pytest.mark.parametrize("told", ["image/\0png", "x" * 200, "text/html; charset=utf-8", "图片/png", "<b>/x"])
def test_a_media_type_that_is_none_is_not_kept(device: Device, told: str) -> None:
    assert device.create("a.bin", 5, kind=told).status_code == 201
    assert Upload.objects.get().declared_type == ""


def test_the_same_bytes_twice_are_shown_not_refused(device: Device, vault_dir: Path) -> None:
    device.send("page.wacz", samples.wacz())
    card = json.loads(device.send("copy.wacz", samples.wacz()).content)["card"]
    assert "与“page.wacz”内容完全相同，法院只保存一份" in card
    assert len(stored(vault_dir)) == 1
    assert Upload.objects.filter(state="arrived").count() == 2


# ── whose ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_elses_upload_exists(device: Device, opponent: User, stranger: User) -> None:
    location = begun(device)
    for user in (opponent, stranger):
        other = Device(signed_in(user), device.draft)
        assert other.create("a", 5).status_code == 404
        assert other.patch(location, b"x", offset=0).status_code == 404
        assert other.browser.head(location).status_code == 404
        assert other.browser.delete(location).status_code == 404
        assert other.digests(location, DATA).status_code == 404
    assert device.offset(location) == 0


def test_an_upload_of_another_draft_is_absent(device: Device, browser: Client) -> None:
    begun(device)
    mine = Upload.objects.get()
    other = answered(browser)
    assert browser.head(reverse("intake:upload", args=[other.public_id, mine.public_id])).status_code == 404


def test_signed_out_in_the_middle(device: Device) -> None:
    location = begun(device)
    device.browser.logout()
    response = device.patch(location, DATA, offset=0)
    assert response.status_code == 401
    assert "重新登录" in json.loads(response.content)["message"]


def test_without_a_token_nothing_moves(litigant: User, case: Case) -> None:
    draft = answered(signed_in(litigant))
    careful = Device(signed_in(litigant, csrf=True), draft)
    assert careful.create("a.bin", 5).status_code == 403
    html = careful.browser.get(page(draft, "files")).content.decode()
    token = html.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    created = careful.create("a.bin", 5, **{"X-CSRFToken": token})
    assert created.status_code == 201
    assert careful.patch(created["Location"], b"12345", offset=0).status_code == 403
    assert careful.patch(created["Location"], b"12345", offset=0, **{"X-CSRFToken": token}).status_code == 204


def test_after_submitting_nothing_is_added(device: Device, litigant: User) -> None:
    from evidence.intake.receiving import receive

    device.send("a.txt", b"a")
    Draft.objects.filter(pk=device.draft.pk).update(
        answers=device.draft.answers | {"purpose": {"purpose": "x"}}
    )
    device.draft.refresh_from_db()
    receive(device.draft, by=litigant, idempotency_key="k")
    assert device.create("late.txt", 5).status_code == 410
    upload = Upload.objects.get()
    location = reverse("intake:upload", args=[device.draft.public_id, upload.public_id])
    assert device.browser.delete(location).status_code == 410
    upload.refresh_from_db()
    assert upload.state == "arrived"
