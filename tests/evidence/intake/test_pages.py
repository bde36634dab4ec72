"""The mini-court form without JavaScript, page by page, as a browser would use it."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.models import Case
from evidence.exhibits.models import Exhibit
from evidence.intake.models import Draft
from evidence.runs.models import Run

from .conftest import answered, attach, page

pytestmark = pytest.mark.django_db


def test_a_whole_submission(browser: Client, case: Case) -> None:
    draft = answered(browser, upto="check")
    overview = browser.get(page(draft, "check"))
    assert overview.status_code == 200
    response = browser.post(page(draft, "declare"), {"declared": "on"})
    assert response.status_code == 302, response.content.decode()
    exhibit = Exhibit.objects.get()
    assert exhibit.case == case
    assert Run.objects.get().exhibit == exhibit
    paper = browser.get(response["Location"])
    assert exhibit.receipt_number in paper.content.decode()
