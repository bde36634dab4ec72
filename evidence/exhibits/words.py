"""The short words that only the exhibit's page needs: arrows of the walk, headings over findings, values of the axes.

Questions, answers, reasons, grades, outcomes, clocks and the names of things stand in the engine's message catalogue, so
that the page, the report and the command line say the same.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

BEIJING = ZoneInfo("Asia/Shanghai")

CHECKS: dict[str, Promise] = {
    "DIGEST.MATCH": lazy("摘要比对"),
    "INCL.CONTENT": lazy("登记的值"),
    "INCL.EXECUTION": lazy("执行结果"),
    "INCL.TRANSACTION": lazy("交易内容"),
    "INCL.PATH": lazy("默克尔路径"),
    "INCL.HEADER": lazy("区块头"),
    "INCL.NODE_QUORUM": lazy("法定多数签名"),
    "INCL.ROOT": lazy("法院检查点"),
    "INCL.LEDGER_KIND": lazy("链的身份"),
    "TST.IMPRINT": lazy("摘要比对"),
    "TST.FORMAT": lazy("时间戳结构"),
    "TST.TIME": lazy("写明时间"),
    "TST.SIGNER": lazy("签发证书"),
    "TST.SIGNATURE": lazy("时间戳签名"),
    "TST.PURPOSE": lazy("证书用途"),
    "TST.CHAIN": lazy("信任链"),
    "WACZ.HASHES": lazy("包内摘要"),
    "WACZ.LISTED": lazy("清单齐全"),
    "WACZ.UNLISTED": lazy("清单之外"),
    "WAUTH.DIGEST": lazy("清单摘要"),
    "WAUTH.FIELDS": lazy("签名数据"),
    "WAUTH.SIGNATURE": lazy("快照签名"),
    "WAUTH.DOMAIN": lazy("域名证书"),
    "WAUTH.CHAIN": lazy("信任链"),
    "WAUTH.TOKEN": lazy("签名时间戳"),
    "WAUTH.TIME": lazy("制作时间"),
}
"""An arrow of the walk, by check id: what was compared, in a word or two. Any other check is simply `核对`."""
FAMILIES: dict[str, Promise] = {
    "DIGEST": lazy("文件与摘要"),
    "INCL": lazy("区块链登记"),
    "CHAINMAKER": lazy("区块链登记"),
    "PACKAGE": lazy("区块链登记"),
    "TST": lazy("时间戳"),
    "X509": lazy("数字证书"),
    "CERT": lazy("存证证书"),
    "WACZ": lazy("网页快照"),
    "WARC": lazy("网页快照"),
    "WAUTH": lazy("快照的签名"),
    "CNP": lazy("取证数据包"),
    "ZIP": lazy("压缩包结构"),
    "GZ": lazy("压缩包结构"),
    "ENGINE": lazy("核验程序"),
}
"""Heading over findings, by the family of the check."""
CLAIMED: dict[str, Promise] = {
    "capture": lazy("声称的取证时间"),
    "recording": lazy("声称的登记时间"),
    "issue": lazy("声称的出证时间"),
}
"""What a certificate says happened at a time, by the word the engine prints before it."""

AXIS_VALUES: dict[str, Promise] = {
    "MATCH": lazy("相符"),
    "MISMATCH": lazy("不符"),
    "NOT_CHECKED": lazy("没有核对"),
    "PROVEN": lazy("已证明"),
    "REFUTED": lazy("与证明相反"),
    "PROMISED": lazy("仅有承诺"),
    "ASSERTED_BY_PLATFORM": lazy("仅平台陈述"),
    "NOT_APPLICABLE": lazy("不适用"),
    "TRUSTED": lazy("法院认可"),
    "UNTRUSTED": lazy("不在信任库"),
    "UNKNOWN": lazy("无法判定"),
    "TOTAL-PASSED": lazy("全部相符"),
    "TOTAL-FAILED": lazy("有不符"),
    "INDETERMINATE": lazy("未能全部核对"),
    "NONE": lazy("没有签名"),
    "DECLARED": lazy("仅当事人陈述"),
    "PARTLY_CORROBORATED": lazy("部分有印证"),
    "NOT_DECLARED": lazy("当事人未说明"),
}
AXIS_TONES = {
    "consistent": ("MATCH", "PROVEN", "TRUSTED", "TOTAL-PASSED"),
    "inconsistent": ("MISMATCH", "REFUTED", "TOTAL-FAILED"),
    "indeterminate": (
        *("NOT_CHECKED", "PROMISED", "ASSERTED_BY_PLATFORM", "UNTRUSTED", "UNKNOWN", "INDETERMINATE"),
        *("NOT_DECLARED", "DECLARED", "PARTLY_CORROBORATED"),
    ),
    "pending": ("NOT_APPLICABLE", "NONE"),
}
"""Only what was proven is green; what a person merely said never is."""


def tone(value: str) -> str:
    """`consistent`, `inconsistent`, `indeterminate` or `pending`: the colour that goes with an axis value."""
    return next(name for name, values in AXIS_TONES.items() if value in values)


def check(check_id: str) -> str:
    return str(CHECKS[check_id]) if check_id in CHECKS else _("核对")


def family(check_id: str) -> str:
    prefix = check_id.partition(".")[0]
    return str(FAMILIES[prefix]) if prefix in FAMILIES else _("其他核对")


def beijing(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def sentence(overall: str, *, not_after: datetime | None, clock: str) -> str:
    """The one sentence beside the verdict word. Says what was compared, never what it is worth as evidence."""
    if overall == "CONSISTENT":
        if not_after is None:
            return _("文件与登记的记录一致，登记之后没有发现变化；登记的时间没有得到证明。")
        return _("文件不晚于 %(time)s（%(clock)s）已经存在，登记之后没有发现变化。") % {
            "time": beijing(not_after),
            "clock": clock,
        }
    if overall == "INCONSISTENT":
        return _("至少一项必需检查得出相反结果。系统不判断原因和责任。")
    return _("材料不齐或有的信息现在无法核对，既不能说一致，也不能说不一致。")
