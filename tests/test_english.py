"""The English of the portal is complete: every sentence a person can meet, with the same particulars, in English.

After adding a sentence:  python manage.py makemessages -l en --no-location --no-wrap -i node_modules -i .venv -i tests -i var
then write its English in locale/en/LC_MESSAGES/django.po, and deploy/setup compiles it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = polib.pofile(str(ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po"))
HAN = re.compile(r"[\u4e00-\u9fff]")
COURT_WORDS = re.compile(r"（\d{4}）\S*号|字第|最高法|民初|民终|知民初|刑核|川01|浙0192|证据目录|[知号]")
"""Chinese that stands in English sentences on purpose: case numbers and their parts, and terms of the court."""


def _in_python() -> Iterator[tuple[str, str]]:
    for room in ("portal", "cases", "evidence"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                name = getattr(getattr(node, "func", None), "id", getattr(getattr(node, "func", None), "attr", ""))
                if isinstance(node, ast.Call) and (name == "_" or "gettext" in name):
                    for text in node.args[: 2 if name.startswith("n") else 1]:
                        if isinstance(text, ast.Constant) and isinstance(text.value, str):
                            yield path.name, text.value


def _in_templates() -> Iterator[tuple[str, str]]:
    for path in (ROOT / "templates").rglob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"))
        for quoted in re.findall(r'\{%\s*translate\s+"((?:[^"\\]|\\.)*)"', text) + re.findall(r'[=:]_\("((?:[^"\\]|\\.)*)"\)', text):
            yield path.name, quoted.replace('\\"', '"').replace("%", "%%")
        for body in re.findall(r"\{%\s*blocktranslate\b[^%]*(?:%(?!\})[^%]*)*%\}(.*?)\{%\s*endblocktranslate\s*%\}", text, re.S):
            for part in re.split(r"\{%\s*plural\s*%\}", body):
                yield path.name, re.sub(r"\{\{\s*(\w+)\s*\}\}", r"%(\1)s", part.replace("%", "%%"))


def _particulars(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|%?%?\{\w+\}", text))


@pytest.mark.parametrize("sentences", [_in_python, _in_templates])
def test_every_sentence_is_in_the_catalogue(sentences: object) -> None:
    """To see it fail: write a new `_("…")` or `{% translate "…" %}`."""
    found = list(sentences())  # type: ignore[operator]
    assert len(found) > 150
    known = {entry.msgid for entry in CATALOGUE} | {entry.msgid_plural for entry in CATALOGUE}
    assert [(where, text) for where, text in found if HAN.search(text) and text not in known] == []


def test_every_entry_is_translated_with_its_particulars() -> None:
    """To see it fail: drop a `%(name)s` from an English sentence, or leave one empty."""
    for entry in CATALOGUE:
        assert "fuzzy" not in entry.flags and not entry.obsolete, entry.msgid
        texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        for text in texts:
            assert text.strip(), entry.msgid
            assert _particulars(text) == _particulars(entry.msgid), entry.msgid
            assert not HAN.search(COURT_WORDS.sub("", text)), (entry.msgid, text)
