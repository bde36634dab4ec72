"""What is wrong with a case number, and how to write it: one sentence for each `Fault` of `cases.numbers`."""

from django.utils.translation import gettext_lazy as _

from .numbers import FIRST_YEAR, SPECIAL_FROM, Fault

EXAMPLE = "（2026）川01民初123号"

FAULTS = {
    Fault.EMPTY: _("请输入案号，例如 %(example)s"),
    Fault.SHAPE: _("案号的写法不完整或多了字。请照受理通知书或传票抄写，例如 %(example)s"),
    Fault.YEAR_MISSING: _("案号要以括号里的四位年份开头，例如（2026）。请照受理通知书或传票抄写"),
    Fault.YEAR_EARLY: _(
        "%(first_year)s年以前立案的案件用旧式案号，带“字第”二字，例如（2014）海民初字第1234号。请核对年份，或按旧式写法填写"
    ),
    Fault.YEAR_FUTURE: _("案号中的年份晚于今年。请核对年份"),
    Fault.COURT: _("没有认出年份后面的法院代字。它是省份简称加数字，例如“川01”“浙0192”，或“最高法”"),
    Fault.TYPE: _("没有认出法院代字后面的案件类型，例如“民初”“民终”“知民初”。请照受理通知书或传票抄写"),
    Fault.SEQUENCE: _("案件编号要用阿拉伯数字，不以0开头，最多八位，例如“123号”"),
    Fault.NO_HAO: _("案号要以“号”字结尾，例如 %(example)s"),
    Fault.LEVEL: _("基层法院没有二审案件。请核对法院代字和案件类型"),
    Fault.SPECIAL_EARLY: _("带“知”字的案号从%(special_from)s年开始使用。请核对年份"),
    Fault.REVIEW_DIGITS: _("“刑核”案件的编号是八位数字。请核对编号"),
    Fault.LEGACY_LATE: _("%(first_year)s年起案号不再用“字第”。请按新式写法填写，例如 %(example)s"),
}


def fault(found: Fault) -> str:
    """The sentence in the reader's language."""
    return str(FAULTS[found]) % {"example": EXAMPLE, "first_year": FIRST_YEAR, "special_from": SPECIAL_FROM}
