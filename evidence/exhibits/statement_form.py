"""The six boxes of the time before recording, as a form: in the mini-court form, and afterwards to add and to correct."""

from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .statements import TEXT_MAX, Head

HINTS: dict[Head, Promise] = {
    Head.SOURCE: _("数据最初产生在哪里，例如哪个网站、哪个账号、哪台设备"),
    Head.GENERATION: _("数据是怎样产生的，例如网页由网站自动生成，聊天由双方手机发出"),
    Head.STORAGE: _("从取得到上链存证，数据存在哪里，哪些人能接触"),
    Head.NOTARY: _("经过公证的，写明公证机构和公证书编号"),
    Head.WITNESS: _("取证时有第三方在场或者参与的，写明是谁、怎样联系"),
    Head.CORROBORATION: _("能与它互相印证的数据或者证据，写明证据编号，例如：原告证据2"),
}
TOO_LONG = _("“%(head)s”最多%(most)d个字，现在有%(now)d个字。请缩短；更长的说明可以作为文件提交")
ROWS = 3


class StatementForm(forms.Form):
    """One field for each head; none is required."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for head in Head:
            self.fields[head.value] = Words(head)

    def answers(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class Words(forms.CharField):
    """No `maxlength` for the browser, which would cut a pasted text without saying so."""

    def __init__(self, head: Head) -> None:
        self.head = head
        super().__init__(label=head.label, help_text=HINTS[head], required=False, widget=forms.Textarea(attrs={"rows": ROWS}))

    def clean(self, value: object) -> str:
        text: str = super().clean(value)
        # Browsers send each line break as two characters; people count one.
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if len(text) > TEXT_MAX:
            raise forms.ValidationError(TOO_LONG, params={"head": self.head.label, "most": TEXT_MAX, "now": len(text)})
        return text
