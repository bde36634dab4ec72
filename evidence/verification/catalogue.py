"""The message catalogue: every check, reason, note and statement in Chinese and English.

Data stands in `messages/*.json`, one file per family, merged here:

    {"checks":     {"INCL.PATH": {"zh": {"question", "passed", "failed", "indeterminate"}, "en": {…}}},
     "reasons":    {"PROOF_FAILURE": {"zh": {"meaning", "next"}, "en": {…}}},
     "notes":      {"RENDERING_USED": {"zh": "…", "en": "…"}},
     "statements": {"NOT_PROVEN.CONTENT": {"zh": "…", "en": "…"}}}

Texts are plain sentences without placeholders: what differs between exhibits stands in the finding's own fields.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from .reasons import Reason
from .verdict import Finding

LANGUAGES = ("zh", "en")
_FOLDER = Path(__file__).with_name("messages")


class CatalogueError(KeyError):
    """A text is missing: a fault of the product, found by its tests."""


@cache
def _all() -> dict[str, dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {"checks": {}, "reasons": {}, "notes": {}, "statements": {}}
    for path in sorted(_FOLDER.glob("*.json")):
        for section, entries in json.loads(path.read_bytes()).items():
            for key, texts in entries.items():
                if key in merged[section]:
                    raise CatalogueError(f"{key} stands twice in the message catalogue")
                merged[section][key] = texts
    return merged


def _text(section: str, key: str, language: str) -> Any:
    try:
        return _all()[section][key][language]
    except KeyError as fault:
        raise CatalogueError(f"no {language} text for {section} {key}") from fault


def question(check: str, language: str) -> str:
    return str(_text("checks", check, language)["question"])


def answer(finding: Finding, language: str) -> str:
    """The sentence that answers the check's question with the outcome of this finding."""
    return str(_text("checks", finding.check, language)[finding.outcome.value.lower()])


def meaning(reason: Reason, language: str) -> str:
    return str(_text("reasons", reason.value, language)["meaning"])


def next_step(reason: Reason, language: str) -> str:
    return str(_text("reasons", reason.value, language)["next"])


def note(code: str, language: str) -> str:
    """A note's sentence; the detail after `:` is appended as data."""
    key, _, detail = code.partition(":")
    text = str(_text("notes", key, language))
    return f"{text}（{detail}）" if detail and language == "zh" else f"{text} ({detail})" if detail else text


def statement(key: str, language: str) -> str:
    return str(_text("statements", key, language))


def keys(section: str) -> frozenset[str]:
    return frozenset(_all()[section])
