"""What came of repeating the results of a bundle, as plain text for a person, in Chinese or English."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from . import catalogue
from .bundle import Bundle, Repeated
from .printout import shown
from .trust import TrustStore
from .verdict import ENGINE, Grade, Overall, instant


def render(
    bundle: Bundle, repeated: Sequence[Repeated], stores: Mapping[str, TrustStore], *, named: bool, checked: str, language: str
) -> str:
    """`stores`: by the digest of the bundle's; `named`: its digest was given from the report; `checked`: how the trust store was,
    SIGNED, NAMED, UNSIGNED or OWN_TRUST. `language`: zh or en."""
    return "\n".join(_lines(bundle, repeated, stores, named, checked, language)) + "\n"


def _lines(
    bundle: Bundle, repeated: Sequence[Repeated], stores: Mapping[str, TrustStore], named: bool, checked: str, language: str
) -> Iterator[str]:
    def say(key: str) -> str:
        return catalogue.statement(key, language)

    yield f"{say('LABEL.BUNDLE')}: {bundle.sha256}"
    if bundle.report:
        yield f"{say('LABEL.BUNDLE_REPORT')}: {shown(bundle.report)}"
        if not named:
            yield f"  {say('BUNDLE.REPORT_UNCHECKED')}"
    if bundle.annex_sha256:
        yield f"{say('LABEL.BUNDLE_ANNEX')}: {bundle.annex_sha256}"
        yield f"  {say('BUNDLE.ANNEX_UNCHECKED')}"
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
        yield f"  {say('LABEL.BUNDLE_COURT')}: {_result(*one.said, language)}"
        yield f"    SHA-256 {item.verdict}"
        if one.found is not None and one.verdict is not None:
            yield f"  {say('LABEL.BUNDLE_NOW')}: {_result(*one.found, language)}"
            yield f"    SHA-256 {hashlib.sha256(one.verdict).hexdigest()}"
        yield f"  {say('BUNDLE.' + one.outcome.value)}"
        if one.missing:
            yield f"  {say('LABEL.BUNDLE_MISSING')}:"
            yield from (f"    {shown(p.name)} ({p.size} B) SHA-256 {p.sha256}" for p in one.missing)

    yield ""
    yield say("LABEL.NOT_PROVEN")
    yield f"- {say('NOT_PROVEN.BUNDLE')}"


def _result(overall: Overall, grade: Grade, language: str) -> str:
    return f"{catalogue.statement(f'WORD.{overall}', language)} · {catalogue.statement('LABEL.GRADE', language)} {grade}"
