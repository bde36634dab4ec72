"""Sentences of the report in its language: `{% both words %}` and `{% say "中文" "English" %}`, with values by name: `{% say "共 {n} 项" "{n} in all" n=3 %}`.

In a report in both languages the English stands in `<a lang="en">`, a link that leads nowhere: the finisher declares its language in
the PDF (`pdf_finish`). `{% flat words %}` puts both on one line without the element, for titles and attributes.
"""

from typing import Any

from django import template
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from evidence.reports.wording import Words, spoken

register = template.Library()


@register.simple_tag(takes_context=True)
def both(context: Context, words: Words) -> SafeString:
    return _in(context["language"], words)


@register.simple_tag(takes_context=True)
def say(context: Context, zh: str, en: str, **values: Any) -> SafeString:
    if values:
        return _in(context["language"], Words(format_html(zh, **values), format_html(en, **values)))
    return _in(context["language"], Words(zh, en))


@register.simple_tag(takes_context=True)
def flat(context: Context, zh: str, en: str) -> str:
    return spoken(Words(zh, en), context["language"])


def _in(language: str, words: Words) -> SafeString:
    if language == "zh":
        return format_html("{}", words.zh)
    if language == "en":
        return format_html("{}", words.en)
    return format_html('{}<a lang="en">{}</a>', words.zh, words.en)
