"""Files through the plain form: taken whole or not at all, with a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from evidence.intake.models import Upload
from portal.vault import StoreFull

from .conftest import (
    END,
    WHAT,
    answer,
    answered,
    attach,
    page,
    stored,
)
from .reading import errors, text

pytestmark = pytest.mark.django_db


def test_continuing_without_a_file(browser: Client) -> None:
    draft = answered(browser)
    response = browser.post(page(draft, "files"), {"action": "continue", **END})
    assert errors(response) == ["请选择要提交的文件"]


def test_files_and_continue_in_one_press(browser: Client) -> None:
    draft = answered(browser)
    response = attach(browser, draft, ("a.txt", b"a"), ("b.txt", b"b"), action="continue")
    assert response["Location"] == page(draft, "prechain")
    assert [u.name for u in draft.uploads.all()] == ["a.txt", "b.txt"]


def test_a_plain_upload_says_to_compare(browser: Client) -> None:
    draft = answered(browser)
    attach(browser, draft, ("a.txt", b"a"))
    assert "已收到，请与原文件核对下面的指纹" in text(browser.get(page(draft, "files")))
    assert not draft.uploads.get().device_sha256


def test_one_refused_file_does_not_take_the_others_with_it(browser: Client) -> None:
    draft = answered(browser)
    response = attach(browser, draft, ("a.txt", b"a"), ("empty.txt", b""), ("b.txt", b"b"), action="continue")
    assert errors(response) == ["empty.txt：文件是空的（0 字节）"]
    assert [u.name for u in draft.uploads.filter(state="arrived")] == ["a.txt", "b.txt"]


def test_removing_a_file(browser: Client) -> None:
    draft = answered(browser)
    attach(browser, draft, ("a.txt", b"a"))
    upload = draft.uploads.get()
    browser.post(reverse("intake:remove", args=[draft.public_id, upload.public_id]))
    assert "a.txt" not in text(browser.get(page(draft, "files")))


def test_without_the_closing_field_nothing_is_taken(browser: Client, vault_dir: Path) -> None:
    draft = answered(browser)
    for end in ({}, {"end": "whol"}, {"end": ""}):
        response = browser.post(
            page(draft, "files"), {"files": [SimpleUploadedFile("a.txt", b"a")], "action": "upload", **end}
        )
        assert "没有完整传到" in errors(response)[0]
    assert not Upload.objects.exists()
    assert stored(vault_dir) == []


def test_more_files_than_a_form_may_carry(browser: Client, vault_dir: Path) -> None:
    draft = answered(browser)
    response = attach(browser, draft, *[(f"{i}.txt", b"x") for i in range(51)])
    assert errors(response) == ["一次最多 50 个文件，其余请分批提交"]
    assert stored(vault_dir) == []


def test_ten_thousand_and_one_parts(browser: Client) -> None:
    draft = answered(browser)
    response = browser.post(page(draft, "files"), {f"f{i}": "x" for i in range(10_001)} | END)
    assert response.status_code == 400
    assert not Upload.objects.exists()


MANIFESTS: dict[str, object] = {
    "a file more": [{"name": "a.txt", "size": 1}, {"name": "b.txt", "size": 1}],
    "a file less": [],
    "another size": [{"name": "a.txt", "size": 2}],
    "no size": [{"name": "a.txt"}],
    "no list": {"name": "a.txt", "size": 1},
    "no entries": [1],
    "no JSON": "[{",
    "NaN": '[{"size": NaN}]',
}


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=list(MANIFESTS))
def test_a_list_that_does_not_match_refuses_everything(
    browser: Client, manifest: object, vault_dir: Path
) -> None:
    draft = answered(browser)
    said = manifest if isinstance(manifest, str) else json.dumps(manifest)
    response = attach(browser, draft, ("a.txt", b"a"), manifest=said or "[]")
    assert "没有完整传到" in errors(response)[0]
    assert not Upload.objects.exists() and stored(vault_dir) == []


@pytest.mark.django_db(transaction=True)
def test_a_list_with_another_fingerprint_refuses_the_file(browser: Client, vault_dir: Path) -> None:
    draft = answered(browser)
    manifest = json.dumps([{"name": "a.txt", "size": 1, "sha256": "0" * 64}])
    response = attach(browser, draft, ("a.txt", b"a"), manifest=manifest)
    assert "传送途中发生变化" in errors(response)[0]
    assert stored(vault_dir) == []
    assert Upload.objects.get().state == "refused"


def test_a_list_that_matches_keeps_the_name_verbatim(browser: Client) -> None:
    draft = answered(browser)
    manifest = json.dumps([{"name": "存证\u202e.txt", "size": 1}])
    assert attach(browser, draft, ("plain.txt", b"a"), manifest=manifest).status_code == 302
    assert draft.uploads.get().name == "存证\u202e.txt"


@pytest.mark.parametrize("name", ["..", ".", "\u202e", "a/b/../c.txt", "nul\0.txt", "x" * 300 + ".txt"])
def test_no_name_loses_a_file(browser: Client, name: str) -> None:
    """Django alone drops a file whose name has nothing left after cleaning, without a word."""
    draft = answered(browser)
    body = (
        b'--B\r\nContent-Disposition: form-data; name="files"; filename="'
        + name.encode()
        + b'"\r\n\r\ndata\r\n'
        b'--B\r\nContent-Disposition: form-data; name="action"\r\n\r\nupload\r\n'
        b'--B\r\nContent-Disposition: form-data; name="end"\r\n\r\nwhole\r\n--B--\r\n'
    )
    response = browser.generic(
        "POST", page(draft, "files"), body, content_type="multipart/form-data; boundary=B"
    )
    assert response.status_code in {302, 400}
    assert draft.uploads.filter(state="arrived").count() == (1 if response.status_code == 302 else 0)
    assert response.status_code == 302 or "没有完整传到" in text(response)


def test_a_full_disk_is_a_sentence(browser: Client, vault_dir: Path) -> None:
    draft = answered(browser)
    with mock.patch("evidence.intake.arrivals.append", side_effect=StoreFull("full")):
        response = attach(browser, draft, ("a.txt", b"a"))
    assert response.status_code == 507
    assert "法院的存储空间暂时不足" in errors(response)[0]
    assert not Upload.objects.filter(state__in=["arriving", "arrived"]).exists()
    assert answer(browser, draft, "what", WHAT).status_code == 302, "the rest goes on"


def test_a_full_temporary_directory_is_a_sentence(browser: Client) -> None:
    import errno

    draft = answered(browser)
    full = OSError(errno.ENOSPC, "No space left on device")
    with mock.patch("django.core.files.uploadhandler.MemoryFileUploadHandler.new_file", side_effect=full):
        response = attach(browser, draft, ("a.txt", b"a"))
    assert response.status_code == 507


def test_a_malformed_body_is_no_500(browser: Client) -> None:
    draft = answered(browser)
    for body, kind in [
        (b"", "multipart/form-data; boundary=x"),
        (b"garbage", "multipart/form-data; boundary=x"),
        (b"garbage", "multipart/form-data"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
    ]:
        for name in ("files", "what", "declare"):
            status = browser.generic("POST", page(draft, name), body, content_type=kind).status_code
            assert status < 500, (kind, name)
