"""The short words that only the exhibit's page needs: arrows of the walk, headings over findings, values of the axes.

Questions, answers, reasons, grades, outcomes, clocks and the names of things stand in the engine's message catalogue, so
that the page, the report and the command line say the same.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

BEIJING = ZoneInfo("Asia/Shanghai")

CHECKS: dict[str, Promise] = {
    "DIGEST.MATCH": _("摘要比对"),
    "INCL.CONTENT": _("登记的值"),
    "INCL.EXECUTION": _("执行结果"),
    "INCL.TRANSACTION": _("交易内容"),
    "INCL.PATH": _("默克尔路径"),
    "INCL.HEADER": _("区块头"),
    "INCL.NODE_QUORUM": _("法定多数签名"),
    "INCL.ROOT": _("法院检查点"),
    "INCL.LEDGER_KIND": _("链的身份"),
    "TST.IMPRINT": _("摘要比对"),
    "TST.FORMAT": _("时间戳结构"),
    "TST.TIME": _("写明时间"),
    "TST.SIGNER": _("签发证书"),
    "TST.SIGNATURE": _("时间戳签名"),
    "TST.PURPOSE": _("证书用途"),
    "TST.CHAIN": _("信任链"),
    "WACZ.HASHES": _("包内摘要"),
    "WACZ.LISTED": _("清单齐全"),
    "WACZ.UNLISTED": _("清单之外"),
    "WAUTH.DIGEST": _("清单摘要"),
    "WAUTH.FIELDS": _("签名数据"),
    "WAUTH.SIGNATURE": _("快照签名"),
    "WAUTH.DOMAIN": _("域名证书"),
    "WAUTH.CHAIN": _("信任链"),
    "WAUTH.TOKEN": _("签名时间戳"),
    "WAUTH.TIME": _("制作时间"),
}
"""An arrow of the walk, by check id: what was compared, in a word or two. Any other check is simply `核对`."""
FAMILIES: dict[str, Promise] = {
    "DIGEST": _("文件与摘要"),
    "INCL": _("区块链登记"),
    "CHAINMAKER": _("区块链登记"),
    "FABRIC": _("区块链登记"),
    "PACKAGE": _("区块链登记"),
    "TST": _("时间戳"),
    "X509": _("数字证书"),
    "CERT": _("存证证书"),
    "WACZ": _("网页快照"),
    "WARC": _("网页快照"),
    "WAUTH": _("快照的签名"),
    "MHT": _("网页快照"),
    "SF": _("网页快照"),
    "HAR": _("网页快照"),
    "CNP": _("取证数据包"),
    "STATED": _("写明的时间"),
    "ZIP": _("压缩包结构"),
    "GZ": _("压缩包结构"),
    "ENGINE": _("核验程序"),
}
"""Heading over findings, by the family of the check."""
CLAIMED: dict[str, Promise] = {
    "CAPTURE_BEGUN": _("声称的开始取证时间"),
    "CAPTURED": _("声称的取证时间"),
    "PACKAGED": _("声称的打包时间"),
    "LOGGED": _("日志写明的时间"),
    "RECORDED": _("声称的登记时间"),
    "ISSUED": _("声称的出证时间"),
}
"""What a file says happened at a time (`stated.What`)."""

AXIS_VALUES: dict[str, Promise] = {
    "MATCH": _("相符"),
    "MISMATCH": _("不符"),
    "NOT_CHECKED": _("没有核对"),
    "PROVEN": _("已证明"),
    "REFUTED": _("与证明相反"),
    "PROMISED": _("仅有承诺"),
    "ASSERTED_BY_PLATFORM": _("仅平台陈述"),
    "NOT_APPLICABLE": _("不适用"),
    "TRUSTED": _("法院认可"),
    "UNTRUSTED": _("不在信任库"),
    "UNKNOWN": _("无法判定"),
    "TOTAL-PASSED": _("全部相符"),
    "TOTAL-FAILED": _("有不符"),
    "INDETERMINATE": _("未能全部核对"),
    "NONE": _("没有签名"),
    "DECLARED": _("仅当事人陈述"),
    "PARTLY_CORROBORATED": _("部分有印证"),
    "NOT_DECLARED": _("当事人未说明"),
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
    return str(CHECKS[check_id]) if check_id in CHECKS else gettext("核对")


def family(check_id: str) -> str:
    prefix = check_id.partition(".")[0]
    return str(FAMILIES[prefix]) if prefix in FAMILIES else gettext("其他核对")


def beijing(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def sentence(overall: str, *, not_after: datetime | None, clock: str) -> str:
    """The one sentence beside the verdict word. Says what was compared, never what it is worth as evidence."""
    if overall == "CONSISTENT":
        if not_after is None:
            return gettext("文件与登记的记录一致，登记之后没有发现变化；登记的时间没有得到证明。")
        return gettext("文件不晚于 %(time)s（%(clock)s）已经存在，登记之后没有发现变化。") % {
            "time": beijing(not_after),
            "clock": clock,
        }
    if overall == "INCONSISTENT":
        return gettext("至少一项必需检查得出相反结果。系统不判断原因和责任。")
    return gettext("材料不齐或有的信息现在无法核对，既不能说一致，也不能说不一致。")
