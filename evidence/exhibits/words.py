"""The short words of the exhibit's page: boxes and arrows of the walk, axes, clocks, grades and verdicts.

Questions, answers and reasons stand in the engine's own message catalogue; what is here is only shown on pages.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

BEIJING = ZoneInfo("Asia/Shanghai")

OVERALL: dict[str, Promise] = {
    "CONSISTENT": lazy("核验一致"),
    "INCONSISTENT": lazy("核验不一致"),
    "INDETERMINATE": lazy("无法判定"),
}
LITIGANT: dict[str, Promise] = {
    "CONSISTENT": lazy(
        "您提交的文件与登记的记录一致，该记录也通过了全部必需检查。这说明登记之后没有发现变化；"
        "不说明登记之前的内容如何，也不是法院的认定。"
    ),
    "INCONSISTENT": lazy(
        "至少一项必需检查得出相反结果，例如文件与登记的记录不同。可能是选错了文件，也可能是手机或聊天软件转换了文件；"
        "系统不判断原因和责任。请看“怎么办”。"
    ),
    "INDETERMINATE": lazy(
        "材料不齐或有的信息现在无法核对，系统既不能说一致，也不能说不一致。这不是对您不利的结论。请看还缺什么、怎么补。"
    ),
}
GRADES: dict[str, Promise] = {
    "A": lazy("核对到独立固定的根，不必相信存证平台"),
    "B": lazy("核对到法院固定的多个节点的签名，需要相信它们没有串通"),
    "C": lazy("法院运行的节点作了签名答复，没有核对完整证明"),
    "D": lazy("只有存证平台自己的服务作了签名答复，需要相信该平台"),
    "E": lazy("只有证书或当事人这样说，没有可以核对的证明"),
}
"""Shown in the box beside the verdict."""
GRADES_LITIGANT: dict[str, Promise] = {
    "A": lazy("证明不经任何平台即可核对，一直核对到独立固定的根。不必相信存证平台。"),
    "B": lazy("证明核对到由多个节点签名的区块头或根，节点公钥由法院事先固定。需要相信这些节点没有串通。"),
    "C": lazy("法院运行的节点作了签名答复，没有核对完整证明。需要相信该节点的答复。"),
    "D": lazy("只有存证平台自己的服务作了签名答复。需要相信该平台。"),
    "E": lazy("只有证书上这样写，没有可以核对的证明。此等级不会得出“核验一致”。"),
}
OUTCOMES: dict[str, Promise] = {
    "PASSED": lazy("通过"),
    "FAILED": lazy("不符"),
    "INDETERMINATE": lazy("未能核对"),
}
SYMBOLS = {"PASSED": "✓", "FAILED": "✗", "INDETERMINATE": "?"}
STATES: dict[str, Promise] = {
    "PROVEN": lazy("已证明：已逐步核对"),
    "PROMISED": lazy("已承诺：登记服务签名承诺将予登记，尚未证明已经登记"),
    "PENDING": lazy("等待中：已送出登记，尚未完成，可稍后再核验"),
    "ASSERTED": lazy("仅陈述：只有说法，没有证明"),
}

THINGS: dict[str, Promise] = {
    "FILE": lazy("送验文件"),
    "DIGEST": lazy("文件摘要"),
    "MANIFEST": lazy("文件清单"),
    "RECORD": lazy("链上记录"),
    "TRANSACTION": lazy("交易"),
    "LEAF": lazy("树叶"),
    "ROOT": lazy("树根"),
    "BLOCK": lazy("区块"),
    "VALIDATORS": lazy("节点签名"),
    "TOKEN": lazy("时间戳"),
    "SIGNATURE": lazy("签名"),
    "CERTIFICATE": lazy("证书"),
    "STATEMENT": lazy("写明的内容"),
    "ANCHOR": lazy("本院信任库"),
}
"""A box of the walk, by `NodeKind`."""
CHECKS: dict[str, Promise] = {
    "DIGEST.MATCH": lazy("摘要比对"),
    "INCL.CONTENT": lazy("登记的值"),
    "INCL.EXECUTION": lazy("执行结果"),
    "INCL.TRANSACTION": lazy("交易内容"),
    "INCL.PATH": lazy("默克尔路径"),
    "INCL.HEADER": lazy("区块头"),
    "INCL.NODE_QUORUM": lazy("法定多数签名"),
    "INCL.ROOT": lazy("本院检查点"),
    "INCL.LEDGER_KIND": lazy("链的身份"),
    "TST.IMPRINT": lazy("摘要比对"),
    "TST.FORMAT": lazy("时间戳结构"),
    "TST.TIME": lazy("写明时间"),
    "TST.SIGNER": lazy("签发证书"),
    "TST.SIGNATURE": lazy("时间戳签名"),
    "TST.PURPOSE": lazy("证书用途"),
    "TST.CHAIN": lazy("信任链"),
}
"""An arrow of the walk, by check id: what was asked, in a word or two. Any other check is simply `核对`."""
FAMILIES: dict[str, Promise] = {
    "DIGEST": lazy("文件与摘要"),
    "INCL": lazy("区块链登记"),
    "TST": lazy("时间戳"),
    "TIME": lazy("时间"),
    "SIG": lazy("签名"),
    "CERT": lazy("存证证书"),
    "X509": lazy("数字证书"),
    "SNAP": lazy("网页快照"),
    "WACZ": lazy("网页快照"),
    "WARC": lazy("网页快照"),
    "ENGINE": lazy("核验程序"),
}
"""Heading over findings, by the family of the check."""

CLOCKS: dict[str, Promise] = {
    "PROPOSER": lazy("区块时间：打包节点的时钟"),
    "TSA": lazy("时间戳机构的时钟"),
    "CHECKPOINT": lazy("本院记录检查点的时钟"),
}
"""Whose clock a proven time is, by its basis."""

AXES: dict[str, Promise] = {
    "integrity": lazy("完整性"),
    "inclusion": lazy("上链登记"),
    "anchor_trust": lazy("信任锚"),
    "signatures": lazy("签名"),
    "pre_chain": lazy("上链之前"),
}
AXIS_VALUES: dict[str, Promise] = {
    "MATCH": lazy("相符"),
    "MISMATCH": lazy("不符"),
    "NOT_CHECKED": lazy("没有核对"),
    "PROVEN": lazy("已证明"),
    "REFUTED": lazy("与证明相反"),
    "PROMISED": lazy("仅有承诺"),
    "ASSERTED_BY_PLATFORM": lazy("仅平台陈述"),
    "NOT_APPLICABLE": lazy("不适用"),
    "TRUSTED": lazy("本院认可"),
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


def thing(kind: str) -> str:
    return str(THINGS.get(kind, kind))


def check(check_id: str) -> str:
    return str(CHECKS[check_id]) if check_id in CHECKS else _("核对")


def family(check_id: str) -> str:
    prefix = check_id.partition(".")[0]
    return str(FAMILIES[prefix]) if prefix in FAMILIES else _("其他核对")


def clock(basis: str | None) -> str:
    return str(CLOCKS.get(basis or "", basis or ""))


def beijing(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def sentence(overall: str, *, not_after: datetime | None, basis: str | None) -> str:
    """The one sentence beside the verdict word. Says what was compared, never what it is worth as evidence."""
    if overall == "CONSISTENT":
        if not_after is None:
            return _("文件与登记的记录一致，登记之后没有发现变化；登记的时间没有得到证明。")
        return _("文件不晚于 %(time)s（%(clock)s）已经登记，此后没有发现变化。") % {
            "time": beijing(not_after),
            "clock": clock(basis),
        }
    if overall == "INCONSISTENT":
        return _("至少一项必需检查得出相反结果。系统不判断原因和责任。")
    return _("材料不齐或有的信息现在无法核对，既不能说一致，也不能说不一致。")
