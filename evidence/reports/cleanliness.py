"""The cleanliness check of a forensic package in one line of the report, where the engine has a note for each item of it."""

import re
from collections.abc import Iterable

from evidence.verification.snapshots.cleanliness import ITEMS

from .wording import Words

LABELS = {
    "TIME": Words("时间同步、标准时间", "time synchronisation, standard time"),
    "SYSTEM": Words("操作系统与环境", "operating system and environment"),
    "VIRUS": Words("病毒木马扫描", "virus scan"),
    "PROCESS": Words("进程列表", "list of processes"),
    "HOSTS": Words("hosts 文件", "hosts file"),
    "DNS": Words("DNS 与网络配置", "DNS and network settings"),
    "PROXY": Words("代理设置", "proxy settings"),
    "ROUTE": Words("路由跟踪", "route trace"),
    "BROWSER": Words("浏览器缓存、Cookie、历史记录", "browser cache, cookies, history"),
    "PING": Words("连通测试（ping）", "reachability (ping)"),
}
"""Not from the portal's translations: a report has the same bytes wherever it is made."""
_FOUND = re.compile(r"CLEAN_([A-Z]+):([0-9]{1,9})")


def line(notes: Iterable[str]) -> tuple[Words | None, list[str]]:
    """(the items that the log mentions, with their lines; the notes that are left). None where no item is found."""
    lines: dict[str, str] = {}
    rest = []
    for note in notes:
        found = _FOUND.fullmatch(note)
        # A second log may mention an item on another line: that stays a note of its own.
        if found and found[1] in LABELS and lines.setdefault(found[1], found[2]) == found[2]:
            continue
        rest.append(note)
    if not lines:
        return None, rest
    told = [(f"K{n:02d}", item) for n, (item, _words) in enumerate(ITEMS, start=1) if item in lines]
    zh = "；".join(f"{number} {LABELS[item].zh} 第 {lines[item]} 行" for number, item in told)
    en = "; ".join(f"{number} {LABELS[item].en} line {lines[item]}" for number, item in told)
    return Words(f"清洁性检查日志提到：{zh}", f"The cleanliness log mentions: {en}"), rest
