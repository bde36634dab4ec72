"""Every bound of intake, at its edge and from eight requests at once."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case
from evidence.intake import limits
from evidence.intake.models import Draft, Upload
from portal.people.models import User

from .conftest import Device, answered, signed_in, stored
from .test_uploads import DATA, begun, code

pytestmark = pytest.mark.django_db


def refused(device: Device, size: int = 10) -> tuple[int, str]:
    response = device.create("a.bin", size)
    return response.status_code, code(response)


def test_an_empty_file(device: Device) -> None:
    assert refused(device, 0) == (422, "UPLOAD_EMPTY")


def test_a_file_too_big(device: Device, settings: Any) -> None:
    settings.PORTAL_UPLOAD_MAX = 1000
    assert refused(device, 1001) == (413, "UPLOAD_TOO_BIG")
    assert device.create("a.bin", 1000).status_code == 201


def test_too_many_files(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FILES_MAX", 2)
    device.send("1.txt", b"1")
    device.send("2.txt", b"2")
    assert refused(device) == (422, "UPLOAD_TOO_MANY")


def test_open_uploads_over_all_drafts(
    device: Device, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OPEN_UPLOADS_MAX", 3)
    other = Device(browser, answered(browser))
    for where in (device, other, device):
        begun(where)
    assert refused(other) == (429, "UPLOAD_OPEN")
    first = Upload.objects.earliest("pk")
    device.browser.post(reverse("intake:remove", args=[first.draft.public_id, first.public_id]))
    assert other.create("a.bin", 5).status_code == 201


def test_a_days_bytes_cannot_be_reset_by_taking_files_back(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DAILY_BYTES_MAX", 5000)
    location = begun(device)
    device.browser.delete(location)
    assert refused(device, 2001) == (429, "UPLOAD_RATE")
    device.browser.post(reverse("intake:discard", args=[device.draft.public_id]))
    fresh = Device(device.browser, answered(device.browser))
    assert refused(fresh, 2001) == (429, "UPLOAD_RATE")
    Upload.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    assert fresh.create("a.bin", 2001).status_code == 201


def test_a_days_drafts_count_those_given_up(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DAILY_DRAFTS_MAX", 2)
    for _ in range(4):
        browser.post(reverse("intake:start"))
        for draft in Draft.objects.filter(discarded_at=None):
            browser.post(reverse("intake:discard", args=[draft.public_id]))
    assert Draft.objects.count() == 2


def test_a_days_number_of_uploads(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DAILY_UPLOADS_MAX", 1)
    begun(device)
    assert refused(device) == (429, "UPLOAD_RATE")


def test_the_quota_of_a_case_counts_every_side(device: Device, opponent: User, settings: Any) -> None:
    settings.PORTAL_QUOTA_PER_CASE = 4000
    begun(device)
    other = Device(signed_in(opponent), answered(signed_in(opponent)))
    assert refused(other, 1001) == (413, "UPLOAD_QUOTA")
    assert other.create("a.bin", 1000).status_code == 201


def test_long_forgotten_uploads_are_cleared_by_the_next(device: Device, vault_dir: Path) -> None:
    forgotten = begun(device)
    device.patch(forgotten, DATA, offset=0)
    Upload.objects.update(touched_at=timezone.now() - timedelta(days=limits.STALE_DAYS, minutes=1))
    begun(device, b"new")
    assert device.browser.head(forgotten).status_code == 410
    assert len(list((vault_dir / "staging").iterdir())) == 1


@pytest.mark.django_db(transaction=True)
def test_eight_beginnings_at_once_keep_the_bound(
    litigant: User, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OPEN_UPLOADS_MAX", 3)
    drafts = [answered(signed_in(litigant)) for _ in range(8)]  # a draft's own lock must not be what holds

    def one(number: int) -> int:
        try:
            return int(Device(signed_in(litigant), drafts[number]).create(f"{number}.bin", 10).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == [201] * 3 + [429] * 5


@pytest.mark.django_db(transaction=True)
def test_eight_endings_at_once_give_one_file(litigant: User, case: Case, vault_dir: Path) -> None:
    draft = answered(signed_in(litigant))
    data = os.urandom(2 << 20)
    device = Device(signed_in(litigant), draft)
    location = begun(device, data)
    device.patch(location, data, offset=0)

    def one(_: int) -> int:
        try:
            return int(Device(signed_in(litigant), draft).digests(location, data).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(8)))
    assert answers == [200] * 8
    assert device.digests(location, data).status_code == 200
    assert stored(vault_dir) == [hashlib.sha256(data).hexdigest()]
