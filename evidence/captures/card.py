"""The facts card of a capture: what the file says of it, line by line, beside what is proven. Everything in it is words of the
evidence but the line on the proven time."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from evidence.exhibits import words

from .capture import Capture, Kind
from .kept import Proven

KINDS: dict[Kind, Promise] = {
    Kind.PAGE: gettext_lazy("网页"),
    Kind.IMAGE: gettext_lazy("图片"),
    Kind.PDF: gettext_lazy("PDF 文档"),
    Kind.OTHER: gettext_lazy("其他内容"),
}
_OTHERS: dict[str, Promise] = {
    "text": gettext_lazy("文本"),
    "video": gettext_lazy("录像"),
    "audio": gettext_lazy("录音"),
}
NOTES: dict[str, Promise] = {
    "TEXT_MAX": gettext_lazy("文字太多，只取出了前面一部分。"),
    "PAGE_MAX": gettext_lazy("这个网页太大，没有取出文字。"),
    "PLACES_UNKNOWN": gettext_lazy("文字不能逐字定位到字节，引用时只能指到整个内容。"),
    "CONTENT_CODING_UNREAD": gettext_lazy("内容的压缩方式不能识别，没有取出文字。"),
    "CONTENT_CODING_ABSENT": gettext_lazy("头部写明内容经过压缩，实际没有压缩。"),
    "IMAGE_MAX_PIXELS": gettext_lazy("图片的像素超过上限，没有绘出。"),
    "IMAGE_MEMORY": gettext_lazy("绘出这张图片需要的内存超过上限，没有绘出。"),
    "IMAGE_UNREADABLE": gettext_lazy("图片已损坏或格式不支持，没有绘出。"),
    "PDF_MAX": gettext_lazy("PDF 太大，没有绘出。"),
    "PDF_TOO_HEAVY": gettext_lazy("PDF 已加密，或展开后太大，没有绘出。"),
    "PDF_UNREADABLE": gettext_lazy("PDF 或其中一页不能打开，没有全部绘出。"),
    "PDF_PAGES_MAX": gettext_lazy("PDF 页数多，只绘出前面 20 页。"),
    "PICTURES_LEFT_OUT": gettext_lazy("绘制这个文件的图片超过了时间或内存上限，只取出文字和要点。"),
    "VIEWS_MAX": gettext_lazy("图片多，只绘出前面一部分。"),
    "IP_NOT_IN_DNS": gettext_lazy("写明的服务器 IP 不在同一文件的域名解析记录里。"),
    "HIDDEN_TEXT": gettext_lazy("网页自己隐藏了一些文字，没有列出。处数："),
    "NOTHING_TO_SHOW": gettext_lazy("这个文件里没有可以展示的网页、图片或 PDF。"),
    "ZIP_NOT_SOUND": gettext_lazy("这个压缩包在不同程序里可能读出不同内容，所以没有展示；哪里不对见逐项核对。"),
    "CAPTURES_LEFT_OUT": gettext_lazy("内容多，只展示前面一部分。没有展示的项数："),
    "RESOURCES_MAX": gettext_lazy("随网页保存的内容多，只列出前面一部分。"),
    "RECORDS_DAMAGED": gettext_lazy("有记录损坏，能读出的已列出，详见逐项核对。损坏处数："),
    "PAYLOAD_MAX": gettext_lazy("有内容超过读取上限，没有展示。"),
    "MEMBER_DAMAGED": gettext_lazy("压缩包里有文件损坏，没有展示。"),
    "FILE_MAX": gettext_lazy("文件太大，没有展示。"),
}
NOTES |= {
    "RECORDING_NOT_SHOWN": gettext_lazy("录像或录音只登记大小和摘要，本系统不播放；需要看时，请下载原文件，在隔离的环境中打开。"),
    "HAR_UNREADABLE": gettext_lazy("这个 HAR 文件不合格式，没有展示；哪里不对见逐项核对。"),
    "HAR_WITHOUT_PAGE": gettext_lazy("这个 HAR 文件里没有保存网页内容，只列出往来的地址。"),
    "CREDENTIALS": gettext_lazy("文件里可能有登录凭据，展示时已遮盖；下载的原文件里没有遮盖。涉及的往来次数："),
}
NOTES |= {
    "ARCHIVE_AWARE": gettext_lazy("网页里有脚本文字像是在询问自己是不是在网页存档里运行（按写法查出，可能有误）；这样的网页在存档里显示的，可能与在线时不同。这样的脚本数："),
    "ARCHIVE_AWARE_FILES": gettext_lazy("随网页保存的脚本文件里，有的像是在询问自己是不是在网页存档里运行（按写法查出，可能有误）；网页在存档里显示的，可能与在线时不同。这样的文件数："),
}
MORE: dict[str, Promise] = {
    "PIXELS": gettext_lazy("像素（宽 × 高）"),
    "PAGES": gettext_lazy("页数"),
    "EXCHANGES": gettext_lazy("记录的往来次数"),
    "TITLE": gettext_lazy("文件写明的标题"),
    "AUTHOR": gettext_lazy("文件写明的作者"),
    "DESCRIPTION": gettext_lazy("文件写明的说明"),
    "WRITTEN_BY": gettext_lazy("文件写明的制作软件"),
    "PDF_PRODUCER": gettext_lazy("PDF 生成软件"),
    "TAKEN_AT": gettext_lazy("文件写明的制作时间"),
    "CHANGED_AT": gettext_lazy("文件写明的修改时间"),
    "CAMERA_MAKER": gettext_lazy("设备厂商"),
    "CAMERA_MODEL": gettext_lazy("设备型号"),
    "PACKAGE_CREATED": gettext_lazy("包写明的制作时间"),
    "PACKAGE_MODIFIED": gettext_lazy("包写明的修改时间"),
    "SYSTEM": gettext_lazy("取证方的操作系统"),
    "CERTIFICATES": gettext_lazy("取证方保存的服务器证书"),
    "BLOCKED": gettext_lazy("取证时被拦截的请求"),
    "NOT_ARCHIVED": gettext_lazy("网站要求不存档的地址"),
    "YT_DLP": gettext_lazy("视频下载程序 yt-dlp 的摘要"),
    "CRIP": gettext_lazy("证书提取程序 crip 的摘要"),
    "OPTIONS": gettext_lazy("取证软件的设置"),
}
"""Labels of `Facts.more`; a code of a later reader is shown as it stands."""
_MACHINE = ("YT_DLP", "CRIP", "OPTIONS")
LIMIT_REACHED = gettext_lazy("读取时到达上限，只展示了前面一部分：")
_OF_A_LIMIT = "_MAX"
"""How the names of bounds end; any other code that has no sentence is shown as what it is."""
OTHER_NOTE = gettext_lazy("读取程序的附注：")


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    value: str
    plain: bool = True
    """Shown in the ordinary face; False: a machine word."""
    proven: bool = False
    brief: bool = False
    """Stands on the page of the exhibit too."""
    silent: bool = False
    """The value says that nothing is said."""


def lines(capture: Capture, proven: Proven | None) -> list[Line]:
    """The card. What the file does not say is left out, but for the times and, of a page, its address, server and signer, where
    silence matters."""
    facts, place = capture.facts, capture.place
    unsaid = _("文件没有写明")
    from_the_web = capture.kind is Kind.PAGE
    found = [
        *([Line(_("网址"), facts.url or unsaid, plain=not facts.url, brief=True, silent=not facts.url)] if facts.url or from_the_web else []),
        *([Line(_("最终网址"), facts.final_url, plain=False, brief=True)] if facts.final_url else []),
        *([Line(_("标题"), facts.title, brief=True)] if facts.title else []),
        Line(_("声称的抓取时间"), _claimed(facts.claimed_time, facts.claimed_instant) or unsaid, brief=True, silent=not facts.claimed_time),
        Line(_("已证明的时间"), _proven(proven), proven=_is_proven(proven), brief=True, silent=not _is_proven(proven)),
        *([Line(_("服务器 IP"), facts.ip or unsaid, plain=not facts.ip, silent=not facts.ip)] if facts.ip or from_the_web else []),
        *([Line(_("协议与 TLS"), facts.protocol or unsaid, plain=not facts.protocol, silent=not facts.protocol)] if facts.protocol or from_the_web else []),
    ]
    for label, value in (
        (_("状态码"), str(facts.status) if facts.status is not None else None),
        (_("内容类型"), facts.content_type),
        (_("浏览器标识"), facts.user_agent),
        (_("取证软件"), facts.software),
        (_("取证方 IP"), facts.capture_ip),
    ):
        if value:
            found.append(Line(label, value))
    found += [Line(str(MORE.get(code, code)), value, plain=code not in _MACHINE) for code, value in facts.more]
    if facts.signer:
        found.append(Line(_("文件写明的签名者"), _("%(signer)s（签名是否成立见核验结论）") % {"signer": facts.signer}))
    elif from_the_web:
        found.append(Line(_("签名者"), _("文件没有写明签名者"), silent=True))
    if place.digest_in_record:
        state = {True: _("与内容相同"), False: _("与内容不同，见逐项核对"), None: _("这里没有比较")}[place.matched]
        found.append(Line(_("记录自带的摘要"), f"{place.digest_in_record} · {state}", plain=False))
    return found


def kind(capture: Capture) -> Promise:
    """What kind of thing it is, in a word."""
    named = _OTHERS.get((capture.facts.content_type or "").partition("/")[0]) if capture.kind is Kind.OTHER else None
    return named or KINDS[capture.kind]


def note(code: str) -> str:
    """A note of a reading in words; the name of a bound where it is one that the engine's readers share."""
    name, colon, count = code.partition(":")
    if name not in NOTES:
        return f"{LIMIT_REACHED if name.endswith(_OF_A_LIMIT) else OTHER_NOTE}{code}"
    return f"{NOTES[name]}{count}" if colon else str(NOTES[name])


def _claimed(text: str | None, moment: datetime | None) -> str | None:
    if text is None or moment is None:
        return text
    return _("%(beijing)s 北京时间（原文 %(text)s），未经证明") % {"beijing": words.beijing(moment), "text": text}


def _is_proven(proven: Proven | None) -> bool:
    return proven is not None and proven.not_after is not None


def _proven(proven: Proven | None) -> str:
    if proven is None:
        return _("还没有核验结果")
    if proven.not_after is None:
        return _("没有得到证明的时间")
    return _("不晚于 %(beijing)s 北京时间（%(grade)s 级，依据 %(source)s）") % {
        "beijing": words.beijing(proven.not_after),
        "grade": proven.grade,
        "source": proven.source,
    }
