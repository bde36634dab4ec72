"""A place in a capture as a sentence that can be copied into a judgment, in Chinese and in English.

It says where the words stand and what was verified of the file, in the words of the verdict; never more.
"""

from dataclasses import dataclass

from django.utils import translation

from evidence.exhibits import words
from evidence.exhibits.models import Exhibit, ExhibitFile
from evidence.verification import catalogue
from portal.legible import legible

from .capture import Capture
from .finding import Hit
from .kept import Proven

QUOTED_MAX = 200
"""Characters of the words found that are quoted; a longer sentence is cut in the middle of nothing: its end is left out."""


@dataclass(frozen=True, slots=True)
class Citation:
    zh: str
    en: str


def cite(exhibit: Exhibit, file: ExhibitFile, capture: Capture, hit: Hit, proven: Proven | None) -> Citation:
    return Citation(_zh(exhibit, file, capture, hit, proven), _en(exhibit, file, capture, hit, proven))


def _zh(exhibit: Exhibit, file: ExhibitFile, capture: Capture, hit: Hit, proven: Proven | None) -> str:
    place = capture.place
    with translation.override("zh-hans"):
        label = exhibit.label
    parts = [f"“{_quoted(hit)}”，见{label}，文件《{_shown(file.name)}》（SHA-256：{file.sha256}）"]
    if place.member:
        parts.append(f"包内 {_shown(place.member)}")
    if place.record_offset is not None:
        parts.append(f"自第 {place.record_offset} 字节起的记录" + (f"（网址 {_shown(capture.facts.url)}）" if capture.facts.url else ""))
    where = f"第 {hit.at} 字节起 {hit.length} 个字节" + ("" if hit.exact else "之内")
    parts.append(f"解码后内容（SHA-256：{place.payload_sha256}）{where}")
    return "，".join(parts) + "。" + _proven_zh(proven)


def _proven_zh(proven: Proven | None) -> str:
    if proven is None:
        return "该文件尚无核验结果。"
    word = catalogue.statement(f"WORD.{proven.overall}", "zh")
    text = f"本院第 {proven.number} 次核验（{words.beijing(proven.at)}，北京时间）对该件证据的结论为{word}，{proven.grade} 级"
    if not proven.anchor:
        return text + "；没有一条核至信任库的证明路径覆盖该文件，它没有得到证明的时间。"
    anchor = f"；该文件的摘要依 {_shown(proven.source)} 核至本院信任库所列 {_shown(proven.anchor)}"
    if proven.not_after is None:
        return text + anchor + "。"
    return text + anchor + f"，不晚于 {words.beijing(proven.not_after)}（北京时间）已存在。"


def _en(exhibit: Exhibit, file: ExhibitFile, capture: Capture, hit: Hit, proven: Proven | None) -> str:
    place = capture.place
    with translation.override("en"):
        label = exhibit.label
    parts = [f"“{_quoted(hit)}”: {label}, file “{_shown(file.name)}” (SHA-256 {file.sha256})"]
    if place.member:
        parts.append(f"in the package {_shown(place.member)}")
    if place.record_offset is not None:
        parts.append(f"record at byte {place.record_offset}" + (f" ({_shown(capture.facts.url)})" if capture.facts.url else ""))
    within = "" if hit.exact else "within "
    parts.append(f"decoded content (SHA-256 {place.payload_sha256}), {within}{hit.length} bytes from byte {hit.at}")
    return ", ".join(parts) + ". " + _proven_en(proven)


def _proven_en(proven: Proven | None) -> str:
    if proven is None:
        return "There is no verdict on this file yet."
    word = catalogue.statement(f"WORD.{proven.overall}", "en")
    text = f"Verification no. {proven.number} of this court ({words.beijing(proven.at)}, Beijing time) of the exhibit: {word}, grade {proven.grade}"
    if not proven.anchor:
        return text + "; no proof that reaches the court's trust store covers this file, and no time of it is proven."
    anchor = f"; the digest of the file leads by {_shown(proven.source)} to {_shown(proven.anchor)} in the court's trust store"
    if proven.not_after is None:
        return text + anchor + "."
    return text + anchor + f"; it existed not later than {words.beijing(proven.not_after)} (Beijing time)."


def _quoted(hit: Hit) -> str:
    text = " ".join(hit.words.split())
    return legible(text if len(text) <= QUOTED_MAX else text[:QUOTED_MAX] + "…")


def _shown(text: str | None) -> str:
    return legible(" ".join((text or "").split()))
