"""A verdict as plain text for a person, in Chinese or English.

Names and values come from the evidence: whatever could steer a terminal (control characters, changes of writing direction)
is printed as an escape.
"""

from collections.abc import Iterator

from . import catalogue
from .verdict import Finding, Outcome, ProofState, Verdict, Walk, bound, instant

VALUE_MAX = 400
"""Characters of one value; the JSON output has all of them."""

_ORDER = (Outcome.FAILED, Outcome.INDETERMINATE, Outcome.PASSED)


def render(verdict: Verdict, language: str) -> str:
    """`language`: zh or en. Ends with a line break."""
    return "\n".join(_lines(verdict, language)) + "\n"


def _lines(verdict: Verdict, language: str) -> Iterator[str]:
    def say(key: str) -> str:
        return catalogue.statement(key, language)

    word = say(f"WORD.{verdict.overall.value}")
    both = word if word == verdict.overall.value else f"{word} {verdict.overall.value}"
    yield f"{say('LABEL.VERDICT')}: {both}"
    yield f"  {say(f'VERDICT.{verdict.overall.value}')}"
    yield f"{say('LABEL.GRADE')}: {verdict.grade.value}"
    yield f"  {say(f'GRADE.{verdict.grade.value}')}"
    if verdict.time is None:
        yield f"{say('LABEL.TIME')}: {say('LABEL.NO_TIME')}"
    else:
        clock = say(f"TIME.{verdict.time.basis}")
        yield f"{say('LABEL.TIME')}: {say('LABEL.NOT_LATER')} {bound(verdict.time.not_after)} ({clock})"
    label = verdict.trust["label"]
    yield f"{say('LABEL.TRUST')}: {shown(verdict.trust['version'])} · {shown(verdict.trust['sha256'])}"
    yield f"  {say(f'TRUST.{label.upper()}')}"
    yield f"{say('LABEL.AT')}: {instant(verdict.at)}"
    yield f"{say('LABEL.ENGINE')}: {verdict.engine}"
    tested = verdict.selftest
    broken = "".join(f"\n  {name}" for name in tested.failed)
    yield f"{say('LABEL.SELFTEST')}: {tested.passed}/{tested.vectors}{broken}"

    if verdict.reasons:
        yield from _heading(say("LABEL.REASONS"))
        for reason in verdict.reasons:
            yield f"- {catalogue.meaning(reason, language)} [{reason.value}]"
            yield f"  {say('LABEL.NEXT')}: {catalogue.next_step(reason, language)}"

    yield from _heading(say("LABEL.SOURCES"))
    for source in verdict.sources:
        yield f"- {shown(source.name)} ({source.size} B, {source.format})"
        yield f"  SHA-256 {source.sha256}"
        yield f"  SM3     {source.sm3}"

    yield from _heading(say("LABEL.WALK"))
    if not verdict.walks:
        yield say("LABEL.NO_WALK")
    for walk in verdict.walks:
        yield from _walk(walk, language)

    if verdict.stated:
        yield from _heading(say("LABEL.STATED"))
    for time in verdict.stated:
        read = instant(time.instant) if time.instant else say("LABEL.NO_ZONE")
        yield f"- {shown(time.source)}: {say(f'STATED.{time.what.value}')} {shown(time.text)} ({read})"
        yield f"  {say(f'STATED.BY.{time.by.value}')}"

    yield from _heading(say("LABEL.FINDINGS"))
    for outcome in _ORDER:
        for finding in verdict.findings:
            if finding.outcome is outcome:
                yield from _finding(finding, language)

    yield from _heading(say("LABEL.NOT_PROVEN"))
    for key in verdict.not_proven:
        yield f"- {say(key)}"


def _heading(text: str) -> Iterator[str]:
    yield ""
    yield text


def _walk(walk: Walk, language: str) -> Iterator[str]:
    def say(key: str) -> str:
        return catalogue.statement(key, language)

    open_ = walk.state is ProofState.PROVEN and not walk.complete
    state = say("LABEL.OPEN" if open_ else f"STATE.{walk.state.value}")
    yield f"- {shown(walk.source)}: {state} {say('LABEL.GRADE')} {walk.grade.value}"
    for number, step in enumerate(walk.steps):
        if number == 0:
            name = step.start.label or say("LABEL.NO_FILE")
            yield f"    {say(f'NODE.{step.start.kind.value}')} {shown(name)}"
        mark = say(f"OUTCOME.{step.outcome.value}") + (f" {step.reason.value}" if step.reason else "")
        yield f"    │ {step.check}: {mark}"
        yield f"    {say(f'NODE.{step.end.kind.value}')} {shown(step.end.label)}"


def _finding(finding: Finding, language: str) -> Iterator[str]:
    def say(key: str) -> str:
        return catalogue.statement(key, language)

    reason = f" {finding.reason.value}" if finding.reason else ""
    yield f"- [{say(f'OUTCOME.{finding.outcome.value}')}{reason}] {finding.check}"
    yield f"  {catalogue.question(finding.check, language)} {catalogue.answer(finding, language)}"
    yield f"  {say('LABEL.SUBJECT')}: {shown(finding.subject)}"
    if finding.expected is not None:
        yield f"  {say('LABEL.EXPECTED')}: {shown(finding.expected)}"
    if finding.actual is not None:
        yield f"  {say('LABEL.ACTUAL')}: {shown(finding.actual)}"
    for note in finding.notes:
        yield f"  {shown(catalogue.note(note, language))}"


def shown(text: str) -> str:
    """Text from the evidence for a terminal: unprintable characters as escapes, and cut where it is too long."""
    cut = text if len(text) <= VALUE_MAX else text[:VALUE_MAX] + "…"
    return escaped(cut)


def escaped(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
