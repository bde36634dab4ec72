"""What every form of an edit has: fields in the portal's dress, the draft as it stands, the thing it is about.

Each form says what stands there now (`prefilled`), what it changes (`members`), and that in a sentence (`said`). What a form
cannot know, above all whether the engine can read the result, is found out when the draft is kept; the error then names the member.
"""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from evidence.verification import anchor_pack

from . import edits
from .certificates import Facts
from .contents import Contents
from .drafts import DraftFault
from .edits import Members
from .entries import Entry

TEXT_MAX = 500
JSON_MAX = 200_000
"""Characters of a member typed into a page; larger ones come in an imported pack."""
PLAIN = {"autocomplete": "off", "spellcheck": "false"}


def line(label: Any, **more: Any) -> forms.CharField:
    more.setdefault("max_length", TEXT_MAX)
    return forms.CharField(label=label, widget=forms.TextInput(attrs=PLAIN), **more)


def lines(label: Any, rows: int, **more: Any) -> forms.CharField:
    more.setdefault("max_length", JSON_MAX)
    return forms.CharField(label=label, widget=forms.Textarea(attrs={**PLAIN, "rows": rows}), **more)


def height_field(label: Any, **more: Any) -> forms.IntegerField:
    widget = forms.TextInput(attrs={**PLAIN, "inputmode": "numeric"})
    return forms.IntegerField(label=label, min_value=0, max_value=anchor_pack.NUMBER_MAX, widget=widget, **more)


def many(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def certificate_in(pem: str) -> Sequence[Facts]:
    try:
        return edits.certificate(pem)
    except DraftFault as fault:
        raise forms.ValidationError(str(fault)) from fault


class Edit(forms.Form):
    """`pack` is the draft as it stands, `thing` the entry that is changed, None when something is added."""

    use_required_attribute = False
    heading: Any = ""
    about: tuple[str, ...] = ()
    """Kinds of the entry that `?thing=` may name."""
    needs_thing = False
    source = line(
        _("来源"), help_text=_("这些内容从哪里来、怎样核对的，例如：运营方 2026 年 11 月 20 日盖章函件，电话核对指纹。会写入信任库。")
    )

    def __init__(self, *args: Any, pack: Contents, thing: Entry | None, **kwargs: Any) -> None:
        self.pack, self.thing = pack, thing
        kwargs.setdefault("label_suffix", "")
        if thing is not None:
            kwargs.setdefault("initial", self.prefilled())
        super().__init__(*args, **kwargs)
        self.order_fields([f for f in self.fields if f != "source"])
        for field in self.fields.values():
            field.error_messages["required"] = _("请填写“%(label)s”") % {"label": field.label}

    def prefilled(self) -> dict[str, Any]:
        return {}

    def members(self) -> Members:
        raise NotImplementedError

    def said(self) -> str:
        raise NotImplementedError

    @property
    def folder(self) -> str:
        """The folder of the chain this is about."""
        if self.thing is None:
            raise forms.ValidationError(_("请从某一条链进入。"))
        return self.thing.key[1]
