"""Both languages of a sentence, in every place of the report: `{% both words %}` and `{% say "中文" "English" %}`.

The English stands in `<a lang="en">`, a link that leads nowhere: the finisher declares its language in the PDF (`pdf_finish`).
"""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from evidence.reports.wording import Words

register = template.Library()


@register.simple_tag
def both(words: Words) -> SafeString:
    return format_html('{}<a lang="en">{}</a>', words.zh, words.en)


@register.simple_tag
def say(zh: str, en: str) -> SafeString:
    return both(Words(zh, en))
