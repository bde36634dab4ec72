"""What the operation log of a forensic package and the saved pages inside it state: digests, addresses, times (spec
snapshots §10, CNP-07 and CNP-08). Statements of the capturing side, compared with the files and with each other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from ..certificates import printed_time
from ..codecs import strict_json
from . import name_lookups

ENTRIES_MAX = 100_000
"""Entries or lines of a log that are read; a log of more is said to be too long."""
LINE_MAX = 64 << 10
PAGE_HEAD = 64 << 10
"""Bytes of a saved page in which SingleFile writes its comment."""

_HEX64 = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])")
_URL = re.compile(r"https?://[^\s\"'<>，。；、）]{1,2000}")
_TIME = re.compile(
    r"(?<!\d)\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?[T ]{0,2}\d{1,2}[:时]\d{2}(?:[:分]\d{2}(?:[.,]\d{1,9})?秒?)?"
    r"(?:Z(?![A-Za-z])| ?[+-](?:0\d|1[0-4]):?(?:00|15|30|45)(?![\d:.])| ?北京时间)?"
)
"""A zone is one that exists (-12:00 to +14:00): `15:35:24 -1500` may be a time and a number of bytes."""
_BEFORE = re.compile(r"\s*+(?:<!doctype[^>]*+>\s*+)?(?:<html(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>\s*+)?", re.IGNORECASE)
_NO_FILE = re.compile(
    r"(?<![a-z])tx(?![a-z])|tx_?(?:hash|id)|transaction|block_?hash|prev|nonce|交易|区块|上链|上一", re.IGNORECASE
)
"""Names of members and words on a line beside which 64 hex digits are no digest of a file."""
_DIGEST = re.compile(r"sha|sm3|hash|digest|哈希|散列|摘要|校验|指纹", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_SINGLE_FILE = re.compile(
    r"<!--\s*Page saved with SingleFile\s+url:\s*(\S+)\s+saved date:\s*([^\r\n]{10,80})", re.DOTALL
)
_JAVASCRIPT_DATE = re.compile(
    r"\w{3} (\w{3}) (\d{1,2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT([+-])(\d{2})(\d{2})", re.ASCII
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAME_KEYS = ("file", "filename", "name", "path", "文件", "文件名")


@dataclass(frozen=True, slots=True)
class Stated:
    """A time as somebody wrote it. `instant` is None without a zone; `face` is what the clock showed."""

    source: str
    text: str
    instant: datetime | None
    face: str


@dataclass(slots=True)
class Log:
    """`named`: file name beside a digest -> digests; `digests`: all 64-digit hex values, lower case."""

    digests: list[str] = field(default_factory=list)
    named: dict[str, list[str]] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)
    times: list[Stated] = field(default_factory=list)
    visits: dict[str, set[str]] = field(default_factory=dict)
    lookups: dict[str, set[str]] = field(default_factory=dict)
    """Name -> the addresses at which it was spoken to, and those it was resolved to."""
    limit: str | None = None
    """The bound at which the reading of the log ended."""


def lines_of(text: str) -> list[str]:
    """Lines as an editor counts them: no other character than CR and LF ends one."""
    lines = _LINE_END.split(text)
    return lines[:-1] if lines and not lines[-1] else lines


def read_log(source: str, text: str) -> Log:
    """JSON (a list of entries, or one entry a line) or plain text; what is not understood is passed over."""
    log = Log()
    lines = lines_of(text)
    if any(len(line) > LINE_MAX for line in lines):
        log.limit = "LINE_MAX"
        return log
    entries = _entries(text, lines)
    entries = lines if entries is None else entries
    if len(entries) > ENTRIES_MAX:
        log.limit = "ENTRIES_MAX"
    for entry in entries[:ENTRIES_MAX]:
        if isinstance(entry, dict):
            strings = list(_strings(entry))
            of_files = {k: v for k, v in entry.items() if not _NO_FILE.search(k)}
            values = [h.lower() for s in _strings(of_files) for h in _HEX64.findall(s)]
            name = next((entry[k] for k in _NAME_KEYS if isinstance(entry.get(k), str)), None)
            own = [h.lower() for k, v in of_files.items() if _DIGEST.search(k) for s in _strings(v) for h in _HEX64.findall(s)]
            if name is not None and own:
                log.named.setdefault(name, []).extend(own)
        else:
            strings = list(_strings(entry))
            values = [h.lower() for s in strings if not _NO_FILE.search(s) for h in _HEX64.findall(s)]
        log.digests += values
        name_lookups.keep(name_lookups.spoken_to(entry), log.visits)
        for string in strings:
            name_lookups.keep(name_lookups.resolved(string), log.lookups)
            log.urls += _URL.findall(string)
            log.times += [t for found in _TIME.findall(string) if (t := stated(source, found)) is not None]
    return log


def saved_page(source: str, head: str) -> tuple[str, Stated | None] | None:
    """Address and time in SingleFile's comment at the start of a page, or None. A comment elsewhere is the page's own."""
    found = _SINGLE_FILE.match(head, place_of_comment(head))
    if found is None:
        return None
    return found[1], _javascript(source, found[2].strip())


def place_of_comment(head: str) -> int:
    """Where SingleFile writes its comment: the first child of the document."""
    start = 1 if head.startswith("\ufeff") else 0
    before = _BEFORE.match(head, start)
    return before.end() if before else start


def stated(source: str, text: str) -> Stated | None:
    read = printed_time.read(text, unit=None)
    face = "".join(re.findall(r"\d+", text))[:14]
    return None if read is None else Stated(source, text.strip(), read.instant, face)


def _javascript(source: str, text: str) -> Stated | None:
    """`Sun Nov 22 2026 07:35:24 GMT+0000 (…)`."""
    found = _JAVASCRIPT_DATE.match(text)
    if found is None or found[1] not in _MONTHS:
        return None
    offset = timedelta(hours=int(found[8]), minutes=int(found[9])) * (1 if found[7] == "+" else -1)
    try:
        moment = datetime(
            int(found[3]),
            _MONTHS.index(found[1]) + 1,
            int(found[2]),
            int(found[4]),
            int(found[5]),
            int(found[6]),
            tzinfo=timezone(offset),
        )
    except ValueError:
        return None
    return Stated(source, text, moment.astimezone(UTC), moment.strftime("%Y%m%d%H%M%S"))


def _entries(text: str, lines: list[str]) -> list[Any] | None:
    """The entries of a JSON log, None for plain text."""
    try:
        document = strict_json.loads(text.encode("utf-8"))
    except strict_json.JsonError:
        lines = [line for line in lines if line.strip()]
        if not lines or not all(line.lstrip().startswith("{") for line in lines):
            return None
        found = []
        for line in lines:
            try:
                found.append(strict_json.loads(line.encode("utf-8")))
            except strict_json.JsonError:
                return None
        return found
    if isinstance(document, dict):
        lists = [v for v in document.values() if isinstance(v, list)]
        rest = {k: v for k, v in document.items() if not isinstance(v, list)}
        return [*([rest] if rest or not lists else []), *(entry for v in lists for entry in v)]
    return document if isinstance(document, list) else None


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member)
    elif isinstance(value, dict):
        for member in value.values():
            yield from _strings(member)
