"""The message catalogue is complete in both languages, plain, and free of words that are the court's alone."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import evidence.verification
from evidence.verification import catalogue
from evidence.verification.reasons import Reason
from evidence.verification.verdict import (
    Grade,
    NodeKind,
    Outcome,
    Overall,
    ProofState,
    failed,
    indeterminate,
    passed,
)

CORE = Path(evidence.verification.__file__).parent
MESSAGES = {p.name: json.loads(p.read_bytes()) for p in sorted((CORE / "messages").glob("*.json"))}
TREES = {p.relative_to(CORE).as_posix(): ast.parse(p.read_bytes()) for p in sorted(CORE.rglob("*.py"))}
CHECK = re.compile(r"[A-Z][A-Z0-9_]*(\.[A-Z0-9_]+)+")
FORBIDDEN = ("真实", "属实", "伪造", "采信", "authentic", "genuine", "forged", "fake", "admitted")
CHINESE = re.compile("[\u3400-\u9fff]")


def texts() -> Iterator[tuple[str, str, str]]:
    """(where, language, text) of every sentence."""
    for file, sections in MESSAGES.items():
        for section, entries in sections.items():
            for key, languages in entries.items():
                for language, value in languages.items():
                    for part, text in value.items() if isinstance(value, dict) else (("", value),):
                        yield f"{file} {section} {key} {part}", language, text


def test_sections_and_shapes() -> None:
    shapes = {"checks": {"question", "passed", "failed", "indeterminate"}, "reasons": {"meaning", "next"}}
    for file, sections in MESSAGES.items():
        assert set(sections) <= {"checks", "reasons", "notes", "statements"}, file
        for section, entries in sections.items():
            for key, languages in entries.items():
                assert set(languages) == set(catalogue.LANGUAGES), (file, key)
                for value in languages.values():
                    if section in shapes:
                        assert set(value) == shapes[section], (file, key)
                    else:
                        assert isinstance(value, str), (file, key)


def test_every_reason_has_a_meaning_and_a_next_step() -> None:
    assert catalogue.keys("reasons") == {r.value for r in Reason}
    for reason in Reason:
        for language in catalogue.LANGUAGES:
            assert catalogue.meaning(reason, language)
            assert catalogue.next_step(reason, language)


def test_sentences_are_sentences_of_their_language() -> None:
    for where, language, text in texts():
        assert text.strip() == text, where
        assert text, where
        assert "{" not in text, f"{where}: placeholder"
        assert "%" not in text, where
        assert bool(CHINESE.search(text)) == (language == "zh"), where
        # Labels and words are no sentences, and a note goes on with its detail in brackets.
        section, key = where.split()[1:3]
        if section in ("checks", "reasons") or key.startswith(("S-", "NOT_PROVEN", "VERDICT.", "GRADE.")):
            assert text[-1] in "。？！.?!”\"", where


def test_the_machine_never_speaks_for_the_court() -> None:
    for where, _, text in texts():
        assert not [w for w in FORBIDDEN if w in text.lower()], where


def used_identifiers() -> dict[str, str]:
    """Dotted upper-case constants of the code -> the file that uses them."""
    return {
        node.value: file
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CHECK.fullmatch(node.value)
    }


def test_every_check_and_statement_in_the_code_has_its_texts() -> None:
    known = catalogue.keys("checks") | catalogue.keys("statements")
    missing = {k: f for k, f in used_identifiers().items() if k not in known}
    assert not missing


def test_families_that_are_put_together_at_run_time_are_whole() -> None:
    statements = catalogue.keys("statements")
    for prefix, members in (
        ("WORD", Overall),
        ("VERDICT", Overall),
        ("GRADE", Grade),
        ("STATE", ProofState),
        ("OUTCOME", Outcome),
        ("NODE", NodeKind),
    ):
        assert {f"{prefix}.{m.value}" for m in members} <= statements
    assert {f"TRUST.{label}" for label in ("COURT", "DEMONSTRATION", "NONE")} <= statements
    clocks = {
        node.args[1].value
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "ProvenTime"
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
    }
    assert "TSA" in clocks
    assert {f"TIME.{c}" for c in clocks} <= statements


def test_every_note_in_the_code_has_its_text() -> None:
    """Constants given as `notes`, directly, through a name of the module, or before a `:` in a formatted string."""
    known = catalogue.keys("notes")
    missing = set()
    for file, tree in TREES.items():
        names = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.keyword) and node.arg == "notes"):
                continue
            for inner in ast.walk(node.value):
                text = inner.value if isinstance(inner, ast.Constant) else names.get(getattr(inner, "id", ""))
                if isinstance(text, str) and (code := text.partition(":")[0]) and re.fullmatch(r"[A-Z][A-Z0-9_]+", code):
                    if code not in known:
                        missing.add((file, code))
    assert not missing


def test_answers_are_those_of_the_outcome() -> None:
    for language in catalogue.LANGUAGES:
        answers = {
            catalogue.answer(finding, language)
            for finding in (
                passed("TST.IMPRINT", "x"),
                failed("TST.IMPRINT", Reason.HASH_FAILURE, "x"),
                indeterminate("TST.IMPRINT", Reason.SIGNED_DATA_NOT_FOUND, "x"),
            )
        }
        assert len(answers) == 3
        assert catalogue.question("TST.IMPRINT", language)


def test_a_missing_text_is_said() -> None:
    for language in ("zh", "en"):
        with pytest.raises(catalogue.CatalogueError):
            catalogue.statement("NO.SUCH", language)
    with pytest.raises(catalogue.CatalogueError):
        catalogue.statement("NODE.FILE", "fr")
