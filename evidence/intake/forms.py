"""The questions of the mini-court form, one form for each page. Answers are kept as plain JSON in the draft."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cases import sentences as case_sentences
from cases.models import Case, Membership
from cases.numbers import CaseNumber, Status, parse
from evidence.exhibits.models import Category, OriginalForm
from evidence.exhibits.statement_form import StatementForm
from portal.people.models import User

from . import names, standing

TEXT_MAX = 4000
"""Characters of a free statement: four printed pages."""
PURPOSE_MAX = 2000


class StepForm(forms.Form):
    """Errors are sentences of our own; the browser's pop-ups would hide them."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def answers(self) -> dict[str, Any]:
        """What the draft keeps."""
        return dict(self.cleaned_data)


class CaseForm(StepForm):
    number = forms.CharField(
        label=_("案号是多少？"),
        help_text=_("写在受理通知书、举证通知书或传票上，例如（2026）川01民初123号"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "text"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.case: Case | None = None
        self.parsed: CaseNumber | None = None

    def clean_number(self) -> str:
        text = self.cleaned_data["number"]
        self.parsed = parse(text, this_year=timezone.localdate().year)
        if self.parsed.fault is not None:
            raise forms.ValidationError(case_sentences.fault(self.parsed.fault))
        key = self.parsed.key or ""
        self.case = standing.case_to_submit_in(self.user, key)
        if self.case is None:
            raise forms.ValidationError(self._not_found(), params={"number": key})
        return key

    def _not_found(self) -> Any:
        """The same for a case that does not exist and for one that is not the person's: nobody learns which."""
        if self.parsed is not None and self.parsed.status == Status.LEGACY:
            return _(
                "没有找到您可以提交证据的案件 %(number)s。这是2016年以前的旧式案号；案件如果后来上诉、再审或执行，"
                "请填写新案件的案号。仍有疑问请联系承办法院"
            )
        return _(
            "没有找到您可以提交证据的案件 %(number)s。请逐字核对案号；如果无误，可能法院还没有把您登记为本案当事人或代理人，"
            "请联系承办法院"
        )


class StandingForm(StepForm):
    membership = forms.ChoiceField(
        label=_("您以什么身份提交？"),
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择您的身份"), "invalid_choice": _("请选择您的身份")},
    )

    def __init__(self, *args: Any, memberships: list[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["membership"]
        field.choices = [  # type: ignore[attr-defined]
            (str(m.pk), f"{m.get_side_display()} {m.party or ''} · {m.get_role_display()}")
            for m in memberships
        ]
        if len(memberships) == 1:
            # The court knows already: nothing to choose, only to see.
            field.widget = forms.HiddenInput()
            field.initial = str(memberships[0].pk)


class DescriptionForm(StepForm):
    name = forms.CharField(
        label=_("给这份证据起个名称"),
        help_text=_("让法官一眼看懂，例如：被告网店商品页面网页快照及存证证书"),
        max_length=200,
        error_messages={"required": _("请填写证据名称"), "max_length": _("证据名称最多200个字")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    category = forms.ChoiceField(
        label=_("它属于哪一类电子数据？"),
        choices=Category.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择电子数据的类别"), "invalid_choice": _("请选择电子数据的类别")},
    )
    original_form = forms.ChoiceField(
        label=_("它是怎样变成电子文件的？"),
        choices=OriginalForm.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("请选择形成方式"), "invalid_choice": _("请选择形成方式")},
    )
    origin = forms.CharField(
        label=_("它从哪里来？"),
        help_text=_("谁、什么时候、用什么设备或平台取得，之后保存在哪里。法庭会看到原文"),
        required=False,
        max_length=TEXT_MAX,
        error_messages={"max_length": _("来源说明最多4000个字")},
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def clean_name(self) -> str:
        """A title stands among the court's own words on many pages: nothing in it may hide or turn the reading direction."""
        name: str = self.cleaned_data["name"]
        if names.deceives(name):
            raise forms.ValidationError(_("证据名称含有看不见的字符，请重新输入"))
        return name


class PreChainForm(StatementForm, StepForm):
    """What came before recording (Online Litigation Rules art. 18): all of it may be left out."""


class PurposeForm(StepForm):
    purpose = forms.CharField(
        label=_("要用它证明什么？"),
        help_text=_("证明对象：写出要证明的事实，例如：被告于2026年3月在网店展示并销售与原告作品相同的商品"),
        max_length=PURPOSE_MAX,
        error_messages={"required": _("请写出要用这份证据证明什么"), "max_length": _("证明对象最多2000个字")},
        widget=forms.Textarea(attrs={"rows": 6}),
    )


class DeclarationForm(StepForm):
    """`late` adds the question that late material needs (J101–102); the answer is recorded, it never refuses."""

    late_reason = forms.CharField(
        label=_("为什么现在才提交？"),
        help_text=_("举证期限已过。材料照常接收并记录提交时间，是否采纳由法庭决定；请说明逾期的原因"),
        max_length=PURPOSE_MAX,
        error_messages={"required": _("请说明逾期提交的原因"), "max_length": _("逾期原因最多2000个字")},
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    declared = forms.BooleanField(
        label=_(
            "我已核对以上内容，确认把这些文件提交给法院；来源和证明对象是我本人（或我代理的当事人）的陈述"
        ),
        error_messages={"required": _("提交前请勾选确认")},
    )

    def __init__(self, *args: Any, late: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not late:
            del self.fields["late_reason"]
