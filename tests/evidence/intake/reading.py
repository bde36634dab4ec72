"""What a reader sees of a page, and what the form says is wrong."""

from __future__ import annotations

import re
from html import unescape
from typing import Any


def text(response: Any) -> str:
    """What a reader sees of a page."""
    html = re.sub(r"<(script|template|style).*?</\1>", "", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def errors(response: Any) -> list[str]:
    """The sentences of the error summary, each of which links to a field that exists."""
    html = response.content.decode()
    summary = html.split("govuk-error-summary__list")[1].split("</ul>")[0]
    for anchor in re.findall(r'href="#([^"]+)"', summary):
        assert f'id="{anchor}"' in html, anchor
    said = [
        unescape(re.sub(r"<[^>]+>", "", item)).strip()
        for item in re.findall(r"<li>(.*?)</li>", summary, re.S)
    ]
    assert response.status_code in {400, 422, 413, 507}
    assert "错误：" in html.split("<title>")[1].split("</title>")[0]
    return said


def same(response: Any, asked: str) -> str:
    """A page without what was asked for and without its token, which differs in every answer."""
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", response.content.decode()).replace(asked, "")
