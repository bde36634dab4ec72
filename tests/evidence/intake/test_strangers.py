"""What an account that the court has placed in no case can put on the court's disk: nothing.

Anybody may open an account, so every byte taken from one would be a byte taken from the whole net.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Membership
from evidence.intake.models import Draft, Upload
from portal.people.models import User

from .conftest import Device, answered, attach, begin, page, signed_in, stored

pytestmark = pytest.mark.django_db


def test_a_stranger_sends_no_byte(stranger: User, vault_dir: Path) -> None:
    """To see it fail: create uploads without asking whether the form has come to its files."""
    browser = signed_in(stranger)
    draft = begin(browser)
    response = Device(browser, draft).create("a.bin", 10)
    assert response.status_code == 409 and response.json()["code"] == "NOT_YET"
    assert attach(browser, draft, ("a.bin", b"x"))["Location"] == page(draft, "case")
    assert not Upload.objects.exists() and stored(vault_dir) == []


@pytest.mark.parametrize("upto", ["case", "who", "what"])
def test_files_come_when_the_form_asks_for_them(browser: Client, upto: str) -> None:
    """The script's way and the form's way are open at the same moment."""
    draft = answered(browser, upto=upto)
    assert Device(browser, draft).create("a.bin", 10).status_code == 409
    assert Device(browser, answered(browser)).create("a.bin", 10).status_code == 201


def test_an_upload_that_runs_stops_with_the_right_to_submit(device: Device, litigant: User) -> None:
    location = device.create("a.bin", 10)["Location"]
    Membership.objects.get(user=litigant).end(at=timezone.now())
    assert device.patch(location, b"0123456789", offset=0).status_code == 404
    assert device.create("b.bin", 10).status_code == 404
    assert device.browser.get(reverse("intake:step", args=[Draft.objects.get().public_id, "files"])).status_code == 404
