"""The receipt on paper: read back from the PDF, in both languages, with names that try to be clever."""

from __future__ import annotations

import io
import re
from typing import Any
from unittest import mock

import pypdfium2
import pytest
from django.test import Client
from django.urls import reverse
from pyhanko.pdf_utils.reader import PdfFileReader

from evidence.exhibits.models import Exhibit
from evidence.intake.models import Draft
from evidence.intake.receiving import receive
from evidence.reports.rendering import RenderError
from portal.people.models import User

from .conftest import Device, answered, sha256, sm3

pytestmark = pytest.mark.django_db
NAMES = {
    "page.wacz": b"snapshot",
    "存证证书（第一份）.pdf": b"certificate",
    "evil\u202efdp.exe": b"program",
    "<b>bold</b><img src='http://example.invalid/x.png'>.html": b"markup",
    "emoji 🂡 and rare 𪚥.txt": b"rare",
    "l" * 200 + ".bin": b"long",
}


def read(paper: bytes) -> str:
    document = pypdfium2.PdfDocument(paper)
    return "".join(page.get_textpage().get_text_bounded() for page in document)


def squeezed(text: str) -> str:
    return re.sub(r"\s|\ufffe|\u00ad", "", text)


@pytest.fixture
def filed(browser: Client, litigant: User) -> Exhibit:
    draft = answered(browser)
    device = Device(browser, draft)
    for name, data in NAMES.items():
        assert device.send(name, data).status_code == 200
    Draft.objects.filter(pk=draft.pk).update(answers=draft.answers | {"purpose": {"purpose": "证明侵权"}})
    return receive(Draft.objects.get(pk=draft.pk), by=litigant, idempotency_key="k")


def fetched(browser: Client, exhibit: Exhibit) -> Any:
    return browser.get(reverse("intake:receipt_pdf", args=[exhibit.draft.public_id]))


def test_the_paper_holds_every_fact(browser: Client, filed: Exhibit) -> None:
    response = fetched(browser, filed)
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'attachment; filename="receipt-{filed.receipt_number}.pdf"'
    text = squeezed(read(response.content))
    for data in NAMES.values():
        assert sha256(data) in text and sm3(data) in text
    for fact in (
        "电子证据接收回执",
        filed.receipt_number,
        "（2026）川01民初123号",
        "原告证据1",
        "尚未审查",
        "北京时间",
        "UTC",
        "12368",
    ):
        assert squeezed(fact) in text, fact
    for shown in ("page.wacz", "存证证书（第一份）.pdf", "evil〔U+202E〕fdp.exe", "<b>bold<／b>", "8字节"):
        assert squeezed(shown) in text, shown


def test_it_loads_and_carries_nothing_else(browser: Client, filed: Exhibit) -> None:
    paper = fetched(browser, filed).content
    assert b"example.invalid" not in paper.replace(b"\0", b"")
    assert b"/EmbeddedFile" not in paper and b"/JavaScript" not in paper
    assert b"pdfaid:part" in paper


def test_the_same_exhibit_gives_the_same_bytes(browser: Client, filed: Exhibit) -> None:
    assert fetched(browser, filed).content == fetched(browser, filed).content


def test_in_english_it_is_marked_as_english(browser: Client, filed: Exhibit) -> None:
    browser.cookies["django_language"] = "en"
    paper = fetched(browser, filed).content
    assert PdfFileReader(io.BytesIO(paper)).root["/Lang"] == "en"


def test_a_renderer_that_fails_is_no_500(browser: Client, filed: Exhibit) -> None:
    with mock.patch("evidence.intake.receipt.rendering.render", side_effect=RenderError("limit")):
        response = browser.get(reverse("intake:receipt_pdf", args=[filed.draft.public_id]), follow=True)
    assert response.status_code == 200
    assert "PDF现在无法生成" in response.content.decode()


def test_fifty_files_are_rendered(browser: Client, litigant: User) -> None:
    draft = answered(browser)
    device = Device(browser, draft)
    for number in range(50):
        device.send(f"{number}.txt", str(number).encode())
    Draft.objects.filter(pk=draft.pk).update(answers=draft.answers | {"purpose": {"purpose": "证明侵权"}})
    exhibit = receive(Draft.objects.get(pk=draft.pk), by=litigant, idempotency_key="k")
    text = squeezed(read(fetched(browser, exhibit).content))
    assert all(sha256(str(number).encode()) in text for number in range(50))
