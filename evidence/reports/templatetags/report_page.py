"""Words of a report on the portal's own pages, in the reader's one language (`report_words` gives both, for the report)."""

from django import template
from django.utils.translation import get_language

from evidence.reports.wording import SIDES, VERDICTS, Words
from evidence.verification import catalogue
from portal.legible import legible

register = template.Library()

OUTCOMES = {
    "PASSED": Words("通过", "passed"),
    "FAILED": Words("不符", "failed"),
    "INDETERMINATE": Words("无法判定", "indeterminate"),
}
STATUSES = {
    "supported_by_checks": Words("检查支持", "supported by the checks"),
    "contradicted_by_checks": Words("检查相反", "contradicted by the checks"),
    "needs_human": Words("需要人判断", "needs a person"),
    "not_applicable": Words("不适用", "not applicable"),
}
"""Of an answer in the rule matrix, in the words of the report's section 7."""


@register.simple_tag
def in_words(words: Words) -> str:
    return legible(_here(words))


@register.filter
def exhibit_label(label: str) -> str:
    """An exhibit's label, which annex and volumes keep in Chinese, in the reader's language; anything else as it stands."""
    for side in SIDES.values():
        number = label.removeprefix(f"{side.zh}证据")
        if number != label and number.isdecimal():
            return _here(Words(label, f"{side.en} exhibit {number}"))
    return legible(label)


@register.simple_tag
def verdict_words(text: str) -> str:
    """A verdict and its grade as the annex has them, "CONSISTENT B"; a dash for none."""
    overall, _, grade = text.partition(" ")
    return f"{_here(VERDICTS[overall])} {grade}".strip() if overall in VERDICTS else "–"


@register.simple_tag
def outcome_words(outcomes: tuple[str, ...]) -> str:
    return ", ".join(_here(OUTCOMES[o]) if o in OUTCOMES else o for o in outcomes) or "–"


@register.simple_tag
def outcome_word(outcome: str) -> str:
    return outcome_words((outcome,))


@register.simple_tag
def status_words(status: str) -> str:
    return _here(STATUSES[status]) if status in STATUSES else status


@register.simple_tag
def check_question(check: str) -> str:
    """What the engine asks with this check; nothing for an id that it does not know (a hostile answer may name any)."""
    try:
        return legible(catalogue.question(check, "zh" if (get_language() or "zh").startswith("zh") else "en"))
    except KeyError:
        return ""


def _here(words: Words) -> str:
    return words.zh if (get_language() or "zh").startswith("zh") else words.en
