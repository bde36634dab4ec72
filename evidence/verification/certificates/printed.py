"""Certificates as printed text: labels in Chinese or English and the values beside or below them (spec consortium-chains §10).

For whoever has the text of a certificate: the text layer of a PDF, or a clerk's transcription. Which value stands under which
label is told by their order on the page, so that everything is marked READ_FROM_TEXT, what cannot be read is listed and never
refutes, and two values under one label leave the exhibit open. A digest that is read whole is compared like any other.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .. import digests
from ..exhibit import Source
from ..registry import Context
from ..verdict import Examination
from . import checks, matching, spellings
from .addresses import host_of
from .members import Member, Scope
from .shown import TEXT_MAX
from .spellings import STRONG, Concept
from .statement import Certificate, Collected, compose

TEXT_CHARACTERS_MAX = 1 << 20
"""A certificate has a few pages; a file list appended to one may have a hundred."""
LABELS_MAX = 4000
"""Labels on one certificate: four for each of a thousand files."""
VALUE_MAX = 400
"""Characters behind a label that are looked at: a SHA-512 digest broken over lines is under 200."""
ADDRESSES_MAX = 200

_MORE_LABELS: dict[Concept, tuple[str, ...]] = {
    Concept.CERTIFICATE_NO: (
        "存证证书号", "证书号", "备案号", "保管函编号", "公证保管编号", "存证ID", "证据编号", "统一证据编号", "取证编号", "固证编号",
        "Certificate No.", "Certificate No", "Certificate Number", "Certificate ID", "Evidence ID", "Evidence No.", "Deposit No.",
    ),
    Concept.FILE_NAME: ("证据文件名", "原文件名", "文件名称", "作品名称", "存证内容", "File name", "File"),
    Concept.FILE_SIZE: ("文件字节数", "File size", "Size"),
    Concept.DIGEST: (
        "文件HASH值", "文件哈希值", "文件Hash值", "文件指纹", "原文哈希", "原文件哈希", "数据指纹", "数据哈希", "哈希码", "HASH值", "Hash值",
        "完整性校验值", "电子数据完整性校验值", "存证文件哈希", "证据哈希", "File hash", "Hash value", "Digest", "Fingerprint",
    ),
    Concept.ALGORITHM: ("哈希计算方法", "校验算法", "摘要方法", "Hash algorithm", "Digest algorithm", "Algorithm"),
    Concept.TX_ID: (
        "区块链交易哈希", "上链哈希", "链上哈希", "存证哈希值", "交易编号", "交易标识", "交易号", "区块链交易ID", "上链交易ID", "存证交易ID",
        "Transaction hash", "Transaction ID", "Tx hash", "TxID",
    ),
    Concept.HEIGHT: ("所在区块高度", "区块链高度", "存证区块高度", "块高", "所在区块", "Block height", "Block number"),
    Concept.BLOCK_HASH: ("所在区块哈希", "区块Hash", "块哈希", "区块标识", "Block hash"),
    Concept.CAPTURED: ("取证完成时间", "取证结束时间", "截图时间", "固定时间", "Capture time", "Captured at"),
    Concept.RECORDED: (
        "上链存证时间", "入链时间", "区块生成时间", "区块链存证时间", "保全时间", "Recorded at", "Time of recording", "Evidence time",
        "Block time", "Timestamp",
    ),
    Concept.ISSUED: ("证书生成时间", "证书签发时间", "颁发时间", "出具时间", "出具日期", "签发日期", "Issued at", "Date of issue"),
    Concept.CHAIN_ID: ("链名称", "链名", "区块链名称", "存证链", "Chain ID", "Chain"),
    Concept.PLATFORM: ("存证机构", "存证服务方", "出证平台", "Platform"),
}  # fmt: skip
_OTHER_LABELS = (
    "存证主体", "存证人", "权利人", "申请人", "证件号码", "证件类型", "统一社会信用代码", "核验网址", "查验网址", "验证网址", "核验地址", "查询网址", "二维码",
    "备注", "说明", "授时机构", "可信时间", "公钥", "签名", "网址",
    "Depositor", "Verify at", "Verification URL", "Address", "URL", "Remarks", "Signature", "Public key",
)  # fmt: skip
"""Labels whose values are not read, and end the value before them."""

_CROSS_CHAIN = {
    "天平链存证编号": "天平链", "天平链编号": "天平链", "北京互联网法院存证编号": "北京互联网法院（天平链）", "司法链存证编号": "司法链", "司法链编号": "司法链",
    "司法链ID": "司法链", "司法链交易哈希": "司法链", "司法区块链存证编号": "最高人民法院司法链平台", "杭州互联网法院存证编号": "杭州互联网法院司法链",
    "广州互联网法院存证编号": "广州互联网法院", "跨链存证编号": "–", "跨链交易哈希": "–",
}  # fmt: skip
"""Labels of the number of the same record on another ledger."""
_CROSS_CHAINS = {re.sub(r"\s", "", label.casefold()): chain for label, chain in _CROSS_CHAIN.items()}

_LABELS: dict[str, Concept | None] = {
    re.sub(r"\s", "", label.casefold()): concept
    for concept, labels in (
        (None, (*_OTHER_LABELS, *_CROSS_CHAIN)),
        *((c, spellings.NAMES[c]) for c in spellings.NAMES if c is not Concept.TOKEN),
        *_MORE_LABELS.items(),
    )
    for label in labels
    if len(label) > 2 or not label.isascii()
} | {stem.casefold(): Concept.DIGEST for stem in ("SHA-256", "SHA256", "SM3", "SHA-384", "SHA-512", "MD5", "SHA-1")}
_ONE_WORD = frozenset({"hash", "size", "file", "name", "chain", "digest", "length", "address", "algorithm", "platform", "url"})
"""Labels that are ordinary words: they count only with a colon behind them."""


def _pattern(label: str) -> str:
    between = r"[ \t]?" if not label.isascii() else r"[ \t]{0,2}"
    return between.join(map(re.escape, label))


_LABEL = re.compile(
    rf"(?<![A-Za-z0-9_\u4e00-\u9fff])(?P<label>{'|'.join(_pattern(x) for x in sorted(_LABELS, key=len, reverse=True))})"
    r"(?![A-Za-z0-9])[ \t]{0,4}(?:[(\[][ \t]?(?P<aside>[^()\[\]\n]{1,24})[)\]])?(?:[ \t]{0,4}(?P<colon>[:=])|(?=\s|$))",
    re.IGNORECASE,
)
_HEX = re.compile(r"(?:0x)?([0-9A-Fa-f]+(?![0-9A-Za-z])(?:[ \t\r\n]{1,4}[0-9A-Fa-f]+(?![0-9A-Za-z]))*)")
_HEX_DIGITS = frozenset(2 * n for n in digests.LENGTH.values())
_LONG = 64
"""Hex digits of the digests in use: a first line of so many is a whole digest unless another length is named."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-/()（）第号〔〕\u4e00-\u9fff]{0,127}")
_TX_ID = re.compile(r"(?:0x)?[0-9A-Za-z_\-]{8,128}")
_NUMBER = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,6}|[0-9]{1,20})(?![0-9,.])")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s<>\"'，。；、）)】]{1,2000}")


def claims_from_text(text: str, *, source: Source, context: Context) -> Examination:
    """The text of `source` -> findings, walks and claims; an empty Examination when it is not the text of a certificate.

    The caller adds what it knows of the document itself (its seal: CERT.SIG). No claim names a platform: a page may say
    whose it is, but only a seal shows it. Never raises for what the text holds.
    """
    certificate = read(text, source=source.name)
    if certificate is None:
        return Examination()
    others = [f for claim in context.claims for f in claim.files]
    spoken_of = matching.stated((*others, *certificate.files), context.content)
    found = checks.examine(certificate, source, context, spoken_of)
    return replace(found, claims=certificate.claims, not_proven=("NOT_PROVEN.CERTIFICATE", *found.not_proven))


def read(text: str, *, source: str) -> Certificate | None:
    """Text -> the certificate it prints, or None: a certificate states a transaction, a block or its own number, and one thing more."""
    plain, hidden = _plain(text[:TEXT_CHARACTERS_MAX])
    found = Collected(None)
    scope = found.common
    scopes = [scope]
    unclear: list[str] = []
    labelled = list(_labelled(plain))
    elsewhere: list[tuple[str, str]] = []
    for position, item in enumerate(labelled):
        if (chain := _CROSS_CHAINS.get(_key(item.label))) and (number := _value(Concept.CERTIFICATE_NO, item.value)):
            elsewhere.append((chain, str(number)))
        if item.concept is None:
            continue
        member = _member(item, _algorithm(labelled, position))
        if member is None:
            if item.value.strip() and item.concept is not Concept.ALGORITHM:
                unclear.append(item.label)
            continue
        if _begins_file(member.concept, scope):
            scope = Scope()
            scopes.append(scope)
        (scope if member.concept in _OF_FILE else found.common).members.append(member)
    found.files = [s for s in scopes[1:] if s.of(Concept.DIGEST)]
    concepts = {m.concept for s in scopes for m in s.members}
    if not concepts & STRONG or len(concepts) < 2:
        return None
    if hidden:
        unclear.append("U+" + ", U+".join(f"{ord(c):04X}" for c in sorted(hidden)[:8]))
    certificate = compose(found, source=source)
    addresses = tuple(m.group() for _, m in zip(range(ADDRESSES_MAX), _ADDRESS.finditer(plain), strict=False))
    hosts = tuple(dict.fromkeys(h for a in addresses if (h := host_of(a))))
    claim = replace(
        certificate.claim, hosts=hosts, from_text=True, cross_chain=tuple(dict.fromkeys(elsewhere))
    )
    return replace(certificate, claim=claim, addresses=addresses, unclear=tuple(dict.fromkeys(unclear)))


_OF_FILE = frozenset({Concept.FILE_NAME, Concept.FILE_SIZE, Concept.DIGEST, Concept.ALGORITHM})


def _begins_file(concept: Concept, scope: Scope) -> bool:
    """A file name behind a name or a digest begins another file."""
    return concept is Concept.FILE_NAME and bool(scope.of(Concept.FILE_NAME) or scope.of(Concept.DIGEST))


def _plain(text: str) -> tuple[str, frozenset[str]]:
    """The text in one width, without characters that turn or hide others; these are named."""
    hidden = frozenset(c for c in text if unicodedata.category(c) in ("Cf", "Co", "Cs") and c != "\u00ad")
    drop = {ord(c): None for c in hidden} | {0xAD: None}
    wide = unicodedata.normalize("NFKC", text.translate(drop))
    return "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in wide), hidden


@dataclass(frozen=True, slots=True)
class _Labelled:
    """A label, what stands behind it, and what stands in brackets in between."""

    label: str
    concept: Concept | None
    value: str
    aside: str


def _labelled(text: str) -> Iterator[_Labelled]:
    """In the order of the page."""
    marks: list[re.Match[str]] = []
    for mark in _LABEL.finditer(text):
        if _key(mark["label"]) in _ONE_WORD and not mark["colon"]:
            continue
        if mark.start() and not mark["colon"] and not _stands_alone(text, mark):
            continue
        marks.append(mark)
        if len(marks) >= LABELS_MAX:
            break
    for mark, limit in zip(marks, [*(m.start() for m in marks[1:]), len(text)], strict=False):
        value = text[mark.end() : min(limit, mark.end() + VALUE_MAX)]
        yield _Labelled(mark["label"], _LABELS[_key(mark["label"])], value, mark["aside"] or "")


def _key(label: str) -> str:
    return re.sub(r"\s", "", label.casefold())


def _stands_alone(text: str, mark: re.Match[str]) -> bool:
    """A label without a colon is the first thing in its cell: at the beginning of a line, or behind a gap. Chinese prose has
    no blanks, so that one is gap enough before a Chinese label."""
    before = text[max(0, mark.start() - 2) : mark.start()]
    return before[-1] in "\n\t" or before == "  " or (before[-1] == " " and not mark["label"].isascii())


def _algorithm(labelled: list[_Labelled], position: int) -> str | None:
    """The algorithm named for the digest at `position`: by its label, in brackets, or by the label of its own before or behind
    it, as long as no other digest or file stands in between."""
    item = labelled[position]
    if item.concept is not Concept.DIGEST:
        return None
    for name in (item.label, item.aside.removesuffix("算法")):
        if found := digests.canonical_name(name):
            return found
    before, behind = reversed(labelled[max(0, position - 6) : position]), labelled[position + 1 : position + 3]
    for direction in (before, behind):
        for other in direction:
            if other.concept is Concept.ALGORITHM:
                return digests.canonical_name(str(_value(Concept.ALGORITHM, other.value) or "").removesuffix("算法"))
            if other.concept in (Concept.DIGEST, Concept.FILE_NAME):
                break
    return None


def _member(item: _Labelled, algorithm: str | None) -> Member | None:
    """The member under its label; a digest under the name of its algorithm. None when the value is not what the label says."""
    if item.concept is None:
        return None
    if item.concept is Concept.DIGEST:
        due = 2 * digests.LENGTH[algorithm] if algorithm else None
        value = _hex(item.value, due)
        if value is None or (due is not None and len(value) != due):
            return None
        key = algorithm.replace("-", "").lower() if algorithm else spellings.normal(item.label)
        return Member(item.concept, item.label, key, value)
    read = _value(item.concept, item.value)
    if read is None or (item.concept is Concept.ALGORITHM and digests.canonical_name(str(read).removesuffix("算法"))):
        # The name of an algorithm that is ours has gone to its digest; one that is none of ours must be said.
        return None
    return Member(item.concept, item.label, spellings.normal(item.label), read)


def _value(concept: Concept, text: str) -> str | int | None:
    line = text.strip().partition("\n")[0].strip()
    match concept:
        case Concept.TX_ID | Concept.BLOCK_HASH:
            whole = _hex(text, None)
            word = line.split()[0] if line.split() else ""
            if whole and len(whole) >= len(word.removeprefix("0x")):
                return whole
            found = _TX_ID.fullmatch(word) if concept is Concept.TX_ID else None
            return found.group() if found and any(c.isdigit() for c in word) else None
        case Concept.HEIGHT:
            found = _NUMBER.match(line.lstrip("#第 "))
            return _whole_number(found.group().replace(",", "")) if found else None
        case Concept.FILE_SIZE:
            digits = line.removesuffix("字节").removesuffix("bytes").removesuffix("B").strip().replace(",", "")
            return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
        case Concept.CERTIFICATE_NO:
            found = _ID.match(line)
            return found.group() if found and any(c.isdigit() for c in found.group()) else None
        case Concept.ALGORITHM:
            name = line.split("(")[0].strip()
            return name[:TEXT_MAX] or None
        case _:
            return line[:TEXT_MAX] or None


def _whole_number(digits: str) -> str | None:
    plain = digits == "0" or not digits.startswith("0")
    return digits if plain and int(digits) < 1 << 64 else None


def _hex(text: str, due: int | None) -> str | None:
    """Hexadecimal digits, over several lines where a line was too short: as many as a digest has, neither more nor less.

    due   digits of the named algorithm, where one is named
    """
    found = _HEX.match(text.lstrip(" \t\r\n"))
    if not found:
        return None
    joined, whole = "", None
    for part in found[1].split():
        joined += part
        if len(joined) == due or (due is None and len(joined) == len(part) >= _LONG and len(joined) in _HEX_DIGITS):
            return joined
        if len(joined) in _HEX_DIGITS:
            whole = joined
    return whole
