"""Drafts, uploads and receipts belong to one person; nobody else can learn that they exist."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cases.models import Case, Membership, Role
from evidence.exhibits.models import Exhibit, State
from evidence.intake.models import Draft, Upload
from portal.people.models import User

from .conftest import (
    NUMBER,
    WHAT,
    answer,
    answered,
    attach,
    member,
    page,
    signed_in,
)
from .reading import same, text

pytestmark = pytest.mark.django_db


def test_nobody_elses_draft_exists(browser: Client, ready: Draft, opponent: User, stranger: User) -> None:
    answer(browser, ready, "declare", {"declared": "on"})
    unsubmitted = answered(browser)
    attach(browser, unsubmitted, ("a.txt", b"a"))
    upload = unsubmitted.uploads.get()
    absent = reverse("intake:step", args=["00000000-0000-0000-0000-000000000000", "case"])
    for user in (opponent, stranger):
        other = signed_in(user)
        nothing = other.get(absent)
        for address in (
            page(unsubmitted, "check"),
            page(ready, "declare"),
            reverse("intake:receipt", args=[ready.public_id]),
            reverse("intake:receipt_pdf", args=[ready.public_id]),
        ):
            response = other.get(address)
            assert response.status_code == 404
            assert same(response, address) == same(nothing, absent)
        for address in (
            reverse("intake:remove", args=[unsubmitted.public_id, upload.public_id]),
            reverse("intake:discard", args=[unsubmitted.public_id]),
        ):
            assert other.post(address).status_code == 404
        assert attach(other, unsubmitted, ("b.txt", b"b")).status_code == 404
    assert unsubmitted.uploads.count() == 1


def test_signed_out_leads_to_the_door_and_back(browser: Client, ready: Draft) -> None:
    browser.logout()
    for address in (
        reverse("intake:start"),
        page(ready, "check"),
        reverse("intake:receipt", args=[ready.public_id]),
    ):
        response = browser.get(address)
        assert response.status_code == 302
        assert response["Location"].endswith(f"?next={address}")


def test_rights_that_end_cut_the_draft_at_once(case: Case) -> None:
    agent = member(case, "tang", role=Role.AGENT, days=10)
    browser = signed_in(agent)
    draft = answered(browser, upto="check")
    Membership.objects.get(user=agent).end(at=timezone.now() - timedelta(seconds=1))
    assert browser.get(page(draft, "check")).status_code == 404
    assert browser.post(page(draft, "declare"), {"declared": "on"}).status_code == 404
    assert NUMBER not in text(browser.get(reverse("intake:start")))
    assert not Exhibit.objects.exists()


def test_every_form_needs_its_token(litigant: User, case: Case) -> None:
    draft = answered(signed_in(litigant), upto="check")
    careful = signed_in(litigant, csrf=True)
    assert careful.post(page(draft, "declare"), {"declared": "on"}).status_code == 403
    assert attach(careful, draft, ("a.txt", b"a")).status_code == 403
    assert careful.post(reverse("intake:start")).status_code == 403
    assert careful.post(reverse("intake:discard", args=[draft.public_id])).status_code == 403
    assert Upload.objects.count() == 1 and not Exhibit.objects.exists()


def test_nothing_can_be_set_that_is_not_asked(browser: Client, ready: Draft) -> None:
    """A4: fields of the row beside the questions change nothing."""
    answer(
        browser,
        ready,
        "what",
        WHAT | {"state": "received", "submitted_at": "2001-01-01", "number": "99", "side": "court"},
    )
    answer(
        browser,
        ready,
        "declare",
        {"declared": "on", "state": "received", "number": "99", "receipt_number": "mine"},
    )
    exhibit = Exhibit.objects.get()
    assert (exhibit.state, exhibit.number, exhibit.side) == (State.SUBMITTED, 1, "plaintiff")
    assert exhibit.receipt_number != "mine"


def test_pages_are_never_cached(browser: Client, ready: Draft) -> None:
    for address in (reverse("intake:start"), page(ready, "check")):
        assert "no-store" in browser.get(address)["Cache-Control"]
