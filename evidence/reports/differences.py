"""What a report says otherwise than the one before it: exhibits, results, checks, sentences, from the two annexes.

Both annexes are our own canonical JSON, of this version of the portal or an earlier one; what one of them does not carry yet
is compared as absent. Nothing is judged: the reader sees what was said then and what is said now.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pikepdf
from django.conf import settings

from portal.vault import Missing, Vault, VaultError

from .models import Report
from .wording import Words

TEXTS: dict[tuple[str, ...], Words] = {
    ("limitations",): Words("局限说明", "Limitations"),
    ("statements",): Words("声明", "Statements"),
    ("policy",): Words("判定规则和信任库", "Decision rule and trust store"),
    ("questions",): Words("规则对照的问题", "Questions of the rule matrix"),
    ("request", "questions"): Words("所问", "Questions put"),
    ("request", "out_of_scope"): Words("范围之外", "Out of scope"),
    ("request", "authority"): Words("依据", "Legal basis"),
    ("engine", "known_issues"): Words("已知问题", "Known issues"),
    ("engine", "deviations"): Words("偏离", "Deviations"),
    ("texts", "not_proven"): Words("结论不说明", "What a result does not say"),
    ("custody_chain", "gaps"): Words("流转记录的说明", "How custody is to be read"),
    ("report", "signature"): Words("签章级别的说明", "What is said of the seal level"),
}
"""Parts of the annex that are sentences for the reader, by the way to them."""
HEADS = ("source", "generation", "storage", "notary", "witness", "corroboration")
"""Of what the submitter states of the time before recording."""


@dataclass(frozen=True, slots=True)
class Change:
    """`before` or `after` is empty where the thing was not there. `words` says what it is about."""

    words: Words
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One check of one exhibit: outcomes and reasons, then and now."""

    id: str
    question: Words
    before: tuple[str, ...]
    after: tuple[str, ...]
    reasons_before: tuple[Words, ...]
    reasons_after: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class ItemChange:
    """An exhibit in both reports of which something is said otherwise."""

    label: str
    name: str
    verdict: Change | None
    time: Change | None
    files: tuple[Change, ...]
    stated: tuple[Change, ...]
    """What the submitter states of the time before recording, where it is no longer the same."""
    sentences: tuple[Change, ...]
    law: tuple[Change, ...]
    """Questions of the rule matrix that are answered otherwise; statuses as the annex has them."""
    checks: tuple[Checked, ...]
    again: bool
    """Verified again, whatever came of it."""


@dataclass(frozen=True, slots=True)
class Difference:
    added: tuple[tuple[str, str, str, str], ...]
    """(label, name, verdict, grade) of exhibits that only the new report speaks of."""
    dropped: tuple[tuple[str, str, str, str], ...]
    items: tuple[ItemChange, ...]
    same: int
    """Exhibits of which both say the same."""
    sentences: tuple[Change, ...]
    frame: tuple[Change, ...]
    """Engine, language, case: what stands around the results."""

    def __bool__(self) -> bool:
        return bool(self.added or self.dropped or self.items or self.sentences or self.frame)


class Unread(RuntimeError):
    """The bytes of a report are missing from the vault, or are not what the portal wrote."""


def annex_of(report: Report) -> dict[str, Any]:
    """The annex of a report that has its draft, or that was signed before drafts were made. Raises Unread."""
    vault = Vault(settings.PORTAL_VAULT_DIR)
    try:
        try:
            raw = vault.read(report.annex_sha256)
        except Missing:
            # A report of before drafts: the annex is in the signed file alone.
            if not report.signed_sha256:
                raise
            with pikepdf.open(io.BytesIO(vault.read(report.signed_sha256))) as pdf:
                raw = pdf.attachments["result.json"].get_file().read_bytes()
        found: dict[str, Any] = json.loads(raw)
    except (VaultError, pikepdf.PdfError, KeyError, ValueError) as fault:
        raise Unread(f"report {report.number}: {type(fault).__name__}: {fault}") from fault
    return found


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    texts = {kind: {**before.get("texts", {}).get(kind, {}), **after.get("texts", {}).get(kind, {})} for kind in ("checks", "reasons")}
    texts["law"] = {row: asked["question"] for annex in (before, after) for row, asked in annex.get("questions", {}).items()}
    old, new = _items(before), _items(after)
    both = [label for label in new if label in old]
    changed = [c for label in both if (c := _item(label, old[label], new[label], texts)) is not None]
    return Difference(
        added=tuple(_named(label, new[label]) for label in new if label not in old),
        dropped=tuple(_named(label, old[label]) for label in old if label not in new),
        items=tuple(changed),
        same=len(both) - len(changed),
        sentences=_sentences(before, after),
        frame=_frame(before, after),
    )


def _items(annex: Mapping[str, Any]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Label of an exhibit -> what was handed in, and its result with `law`: question of the rule matrix -> status."""
    law: dict[str, dict[str, str]] = {}
    for answer in annex.get("legal", []):
        law.setdefault(answer["item"], {})[answer["id"]] = answer["status"]
    results = {r["item"]: {**r, "law": law.get(r["item"], {})} for r in annex.get("results", [])}
    return {i["evidence_no"]: (i, results.get(i["evidence_no"], {})) for i in annex.get("items", [])}


def _named(label: str, found: tuple[dict[str, Any], dict[str, Any]]) -> tuple[str, str, str, str]:
    item, result = found
    return label, str(item.get("name", "")), str(result.get("overall", "")), str(result.get("assurance", ""))


def _item(
    label: str, old: tuple[dict[str, Any], dict[str, Any]], new: tuple[dict[str, Any], dict[str, Any]], texts: Mapping[str, Any]
) -> ItemChange | None:
    (item_then, then), (item_now, now) = old, new
    found = ItemChange(
        label=label,
        name=str(item_now.get("name", "")),
        verdict=_change(Words("结论", "Result"), _verdict(then), _verdict(now)),
        time=_change(Words("不晚于何时已存在", "Existed not later than"), _time(then), _time(now)),
        files=_files(item_then, item_now),
        stated=_stated(item_then, item_now),
        sentences=_lines(Words("标准语句", "Standard sentence"), then.get("sentences"), now.get("sentences")),
        law=_law(then, now, texts),
        checks=_checks(then, now, texts),
        again=then.get("run_id") != now.get("run_id"),
    )
    said = found.verdict or found.time or found.files or found.stated or found.sentences or found.law or found.checks
    return found if said or found.again else None


def _verdict(result: Mapping[str, Any]) -> str:
    return f"{result.get('overall', '')} {result.get('assurance', '')}".strip()


def _time(result: Mapping[str, Any]) -> str:
    return str((result.get("verdict", {}).get("time") or {}).get("not_after") or "")


def _files(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Change, ...]:
    old, new = ({f["filename"]: _sha256(f) for f in item.get("files", [])} for item in (then, now))
    names = [*new, *(name for name in old if name not in new)]
    found = (_change(Words(name, name), old.get(name, ""), new.get(name, "")) for name in names)
    return tuple(c for c in found if c is not None)


def _stated(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Change, ...]:
    """What stood under each head then, and what stands now."""

    def current(item: Mapping[str, Any]) -> dict[str, tuple[Words, str]]:
        return {
            h["head"]: (Words(h["words"]["zh"], h["words"]["en"]), h["records"][-1]["text"] if h["records"] else "")
            for h in item.get("pre_chain", [])
        }

    nothing = (Words("", ""), "")
    old, new = current(then), current(now)
    found = (
        _change(new.get(head, old.get(head, nothing))[0], old.get(head, nothing)[1], new.get(head, nothing)[1]) for head in HEADS
    )
    return tuple(c for c in found if c is not None)


def _sha256(file: Mapping[str, Any]) -> str:
    return next((d["hex"] for d in file.get("digests", []) if d["alg"] == "SHA-256"), "")


def _law(then: Mapping[str, Any], now: Mapping[str, Any], texts: Mapping[str, Any]) -> tuple[Change, ...]:
    """Only questions that were asked in both: which are asked is said once for the whole report (`TEXTS`)."""
    old, new = then.get("law", {}), now.get("law", {})
    found = (_change(_text(texts["law"], row), old[row], new[row]) for row in new if row in old)
    return tuple(c for c in found if c is not None)


def _checks(then: Mapping[str, Any], now: Mapping[str, Any], texts: Mapping[str, Any]) -> tuple[Checked, ...]:
    old, new = _outcomes(then), _outcomes(now)
    ids = [*new, *(i for i in old if i not in new)]
    return tuple(
        Checked(
            id=i,
            question=_text(texts["checks"], i),
            before=tuple(sorted({outcome for outcome, _ in old.get(i, set())})),
            after=tuple(sorted({outcome for outcome, _ in new.get(i, set())})),
            reasons_before=_meanings(old.get(i, set()), texts),
            reasons_after=_meanings(new.get(i, set()), texts),
        )
        for i in ids
        if old.get(i) != new.get(i)
    )


def _outcomes(result: Mapping[str, Any]) -> dict[str, set[tuple[str, str]]]:
    """Check -> its outcomes with their reasons, whatever the subject."""
    found: dict[str, set[tuple[str, str]]] = {}
    for finding in result.get("verdict", {}).get("findings", []):
        found.setdefault(finding["check"], set()).add((finding["outcome"], finding["reason"] or ""))
    return found


def _meanings(outcomes: set[tuple[str, str]], texts: Mapping[str, Any]) -> tuple[Words, ...]:
    return tuple(_text(texts["reasons"], code) for code in sorted({reason for _, reason in outcomes if reason}))


def _text(texts: Mapping[str, Any], key: str) -> Words:
    """The sentence that the annexes carry for a code of the engine; the code itself where neither does."""
    found = texts.get(key) or {}
    return Words(str(found.get("zh", key)), str(found.get("en", key)))


def _sentences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(change for path, words in TEXTS.items() for change in _lines(words, _at(before, path), _at(after, path)))


def _lines(words: Words, before: Any, after: Any) -> tuple[Change, ...]:
    """Sentences that one of them holds and the other does not."""
    old, new = _said(before), _said(after)
    gone = [Change(words, text, "") for text in old if text not in new]
    return (*gone, *(Change(words, "", text) for text in new if text not in old))


def _at(annex: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = annex
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _said(value: Any) -> list[str]:
    """The Chinese sentences (with the English beside them) anywhere in a part of the annex."""
    if isinstance(value, Mapping):
        if set(value) == {"zh", "en"}:
            return [f"{value['zh']} / {value['en']}"]
        return [text for inner in value.values() for text in _said(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _said(inner)]
    return [value] if isinstance(value, str) else []


def _frame(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    def at(annex: Mapping[str, Any], *path: str) -> str:
        found: Any = annex
        for name in path:
            found = found.get(name, "") if isinstance(found, Mapping) else ""
        return ", ".join(map(str, found)) if isinstance(found, list) else str(found)

    rows = (
        (Words("核验程序版本", "Engine version"), ("engine", "version")),
        (Words("核验程序源文件摘要", "Digest of the engine's source"), ("engine", "source_sha256")),
        (Words("语言", "Language"), ("report", "language")),
        (Words("另附的声明和格式", "Optional pages and forms"), ("report", "profiles")),
        (Words("案号", "Case number"), ("case", "number")),
        (Words("案由", "Cause"), ("case", "cause")),
    )
    languages = {value: str(label) for value, label in Report.Language.choices}  # for people, in the reader's own
    found = (_change(words, *(languages.get(said, said) for said in (at(before, *path), at(after, *path)))) for words, path in rows)
    return tuple(c for c in found if c is not None)


def _change(words: Words, before: str, after: str) -> Change | None:
    return None if before == after else Change(words, before, after)
