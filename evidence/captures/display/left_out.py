"""What a safe view leaves out, in words. The reader counts it (`reading.safe_html`) as notes that begin with PREFIX."""

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from ..capture import Capture, ViewKind

PREFIX = "SAFE_"
COUNTED: dict[str, Promise] = {
    "SAFE_SCRIPTS": gettext_lazy("脚本，没有运行"),
    "SAFE_HANDLERS": gettext_lazy("写在元素上的脚本，没有运行"),
    "SAFE_FRAMES": gettext_lazy("内嵌的页面或程序，没有显示"),
    "SAFE_MEDIA": gettext_lazy("音视频，没有播放（视频封面如有则已显示）"),
    "SAFE_VECTORS": gettext_lazy("矢量图（SVG），没有显示"),
    "SAFE_FONTS": gettext_lazy("网页字体，改用本机字体，字形和图标可能不同"),
    "SAFE_FORMS": gettext_lazy("表单，只显示样子，不能填写和提交"),
    "SAFE_REFRESH": gettext_lazy("自动跳转，没有跳转"),
    "SAFE_HINTS": gettext_lazy("预先下载、图标等指示，没有执行"),
    "SAFE_LINKS": gettext_lazy("链接，只显示文字和地址，不能打开"),
    "SAFE_ABSENT": gettext_lazy("图片或样式，文件里没有保存，没有显示"),
    "SAFE_UNREAD": gettext_lazy("图片，格式不支持或超过上限，没有显示"),
    "SAFE_LATE": gettext_lazy("图片，网页要靠脚本才放上去，这里直接放在了写明的位置"),
}
WHY_NONE: dict[str, Promise] = {
    "SAFE_TOO_MUCH": gettext_lazy("这个网页的结构、样式或图片超过上限，没有做成安全视图。"),
    "SAFE_UNREADABLE": gettext_lazy("这个网页不能解析，没有做成安全视图。"),
}


def lines(notes: Sequence[str]) -> list[tuple[int, Promise]]:
    """(how many, of what), in the order above."""
    counted = {name: int(count) for name, _colon, count in (n.partition(":") for n in notes) if count}
    return [(counted[name], words) for name, words in COUNTED.items() if counted.get(name)]


def why_none(notes: Sequence[str]) -> Promise | None:
    return next((words for code, words in WHY_NONE.items() if code in notes), None)


def offered(one: Capture) -> bool:
    """Is there anything to say of a safe view on the page of this capture?"""
    return any(v.kind is ViewKind.SAFE_HTML for v in one.views) or why_none(one.notes) is not None
