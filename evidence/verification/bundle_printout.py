"""What came of repeating the results of a bundle, as plain text for a person, in Chinese or English."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

from . import catalogue
from .bundle import Bundle, Repeated
from .printout import shown
from .trust import TrustStore
from .verdict import ENGINE, instant


def render(bundle: Bundle, repeated: Sequence[Repeated], stores: Mapping[str, TrustStore], *, checked: str, language: str) -> str:
    """`stores`: by the digest of the bundle's; `checked`: SIGNED, UNSIGNED or OWN_TRUST. `language`: zh or en."""
    return "\n".join(_lines(bundle, repeated, stores, checked, language)) + "\n"


def _lines(
    bundle: Bundle, repeated: Sequence[Repeated], stores: Mapping[str, TrustStore], checked: str, language: str
) -> Iterator[str]:
    def say(key: str) -> str:
        return catalogue.statement(key, language)

    yield f"{say('LABEL.BUNDLE')}: {bundle.sha256}"
    if bundle.report:
        yield f"{say('LABEL.BUNDLE_REPORT')}: {shown(bundle.report)}"
    if bundle.annex_sha256:
        yield f"{say('LABEL.BUNDLE_ANNEX')}: {bundle.annex_sha256}"
    yield f"{say('LABEL.BUNDLE_ENGINE')}: {shown(bundle.engine)}"
    yield f"{say('LABEL.ENGINE')}: {ENGINE}"
    for trust in {store.digest: store.identity() for store in stores.values()}.values():
        yield f"{say('LABEL.TRUST')}: {shown(trust['version'])} · {shown(trust['sha256'])}"
        yield f"  {say('TRUST.' + trust['label'].upper())}"
    yield f"  {say('BUNDLE.' + checked)}"

    yield ""
    yield say("LABEL.BUNDLE_EXHIBITS")
    for one in repeated:
        item = one.item
        yield f"- {shown(item.label)} · {shown(item.run)} #{item.number} · {instant(item.at)}"
        court = json.loads(one.court)
        yield f"  {say('LABEL.BUNDLE_COURT')}: {_result(court['overall'], court['grade'], language)}"
        yield f"    SHA-256 {item.verdict}"
        if one.verdict is not None:
            digest = hashlib.sha256(one.verdict.to_json()).hexdigest()
            yield f"  {say('LABEL.BUNDLE_NOW')}: {_result(one.verdict.overall.value, one.verdict.grade.value, language)}"
            yield f"    SHA-256 {digest}"
        yield f"  {say('BUNDLE.' + one.outcome.value)}"
        if one.missing:
            yield f"  {say('LABEL.BUNDLE_MISSING')}:"
            yield from (f"    {shown(p.name)} ({p.size} B) SHA-256 {p.sha256}" for p in one.missing)

    yield ""
    yield say("LABEL.NOT_PROVEN")
    yield f"- {say('NOT_PROVEN.BUNDLE')}"


def _result(overall: object, grade: object, language: str) -> str:
    """Of a verdict that somebody wrote into a bundle, or of one of ours."""
    known = overall in ("CONSISTENT", "INCONSISTENT", "INDETERMINATE")
    word = catalogue.statement(f"WORD.{overall}", language) if known else shown(str(overall))
    return f"{word} · {catalogue.statement('LABEL.GRADE', language)} {shown(str(grade))}"
