"""The cleanliness check 清洁性检查 before a capture: which of its ten items does the log mention? (SF/T 0091-2021; spec
snapshots §10, table of items)

Presence only: an item is found on a line or not found. A log is written by the capturing side, so it refutes nothing and
proves nothing; it shows what was said to be done.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

QUOTED_MAX = 5
"""Lines of abnormal results that are quoted."""

ITEMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("TIME", ("时间同步", "ntp", "国家授时中心", "标准时间")),
    ("SYSTEM", ("操作系统", "虚拟机", "快照", "镜像")),
    ("VIRUS", ("病毒", "木马", "杀毒", "antivirus", "clamav")),
    ("PROCESS", ("进程", "任务管理器", "tasklist")),
    ("HOSTS", ("hosts",)),
    ("DNS", ("dns", "ipconfig", "ifconfig", "网络配置")),
    ("PROXY", ("代理", "proxy")),
    ("ROUTE", ("tracert", "traceroute", "路由跟踪")),
    ("BROWSER", ("缓存", "cookie", "历史记录", "自动填充")),
    ("PING", ("ping",)),
)
"""K01 to K10 of the specification, with their key words; Latin words count as whole words only."""

_ABNORMAL = re.compile(
    r"(?<!无)(?<!未发现)(?<!未见)(?<!没有)(?<!非)异常|未通过|不通过|不合格|检查失败|发现病毒|发现木马|"
    r"(?<![a-z_])(?:failed|failure|infected found)(?![a-z_])"
)


@dataclass(frozen=True, slots=True)
class Matrix:
    """`found`: item -> line number from 1; `abnormal`: (line number, text) of lines that report something abnormal."""

    found: dict[str, int]
    absent: tuple[str, ...]
    abnormal: tuple[tuple[int, str], ...]


def matrix(lines: Sequence[str]) -> Matrix:
    folded = [unicodedata.normalize("NFKC", line).casefold() for line in lines]
    found: dict[str, int] = {}
    for item, words in ITEMS:
        pattern = re.compile("|".join(_word(w) for w in words))
        line = next((n for n, text in enumerate(folded, start=1) if pattern.search(text)), None)
        if line is not None:
            found[item] = line
    abnormal = [(n, lines[n - 1]) for n, text in enumerate(folded, start=1) if _ABNORMAL.search(text)]
    return Matrix(found, tuple(item for item, _ in ITEMS if item not in found), tuple(abnormal[:QUOTED_MAX]))


def _word(word: str) -> str:
    return rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])" if word.isascii() else re.escape(word)
