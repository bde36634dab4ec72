"""Words of a report on the portal's own pages, in the reader's one language (`report_words` gives both, for the report)."""

from django import template
from django.utils.translation import get_language

from evidence.reports.wording import VERDICTS, Words
from portal.legible import legible

register = template.Library()

OUTCOMES = {
    "PASSED": Words("通过", "passed"),
    "FAILED": Words("不符", "failed"),
    "INDETERMINATE": Words("无法判定", "indeterminate"),
}


@register.simple_tag
def in_words(words: Words) -> str:
    return legible(_here(words))


@register.simple_tag
def verdict_words(text: str) -> str:
    """A verdict and its grade as the annex has them, "CONSISTENT B"; a dash for none."""
    overall, _, grade = text.partition(" ")
    return f"{_here(VERDICTS[overall])} {grade}".strip() if overall in VERDICTS else "–"


@register.simple_tag
def outcome_words(outcomes: tuple[str, ...]) -> str:
    return ", ".join(_here(OUTCOMES[o]) if o in OUTCOMES else o for o in outcomes) or "–"


def _here(words: Words) -> str:
    return words.zh if (get_language() or "zh").startswith("zh") else words.en
