"""The grammar of case numbers against numbers decided by hand from the two notices, and a sentence for every fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import sentences
from cases.numbers import Fault, Status, parse, types

DATA = json.loads(Path(__file__).with_name("cn_case_numbers.json").read_bytes())
VECTORS: list[dict[str, Any]] = DATA["vectors"]


def test_all_of_them_are_there() -> None:
    kinds = [v["expected"] for v in VECTORS]
    assert (kinds.count("valid"), kinds.count("legacy"), kinds.count("invalid")) == (21, 2, 20)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["input"].strip() or "empty")
def test_vector(vector: dict[str, Any]) -> None:
    found = parse(vector["input"], this_year=DATA["this_year"])
    assert found.status == vector["expected"]
    for part in ("normalized", "year", "court", "level", "special", "type", "seq", "sub"):
        if part in vector and found.status == Status.VALID:
            assert getattr(found, part) == vector[part], part
    assert found.fault == (Fault(vector["fault"]) if "fault" in vector else None)


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_says_what_is_wrong_and_how_to_do_it_right(fault: Fault) -> None:
    said = sentences.fault(fault)
    assert "%" not in said and len(said) > 10
    assert any(word in said for word in ("请", "例如", "要")), "the sentence must say what to do"


def test_a_document_suffix_is_not_part_of_the_case() -> None:
    found = parse("（2020）京0105民初1234号之一", this_year=2026)
    assert found.key == "（2020）京0105民初1234号"


@given(st.text(max_size=80))
def test_no_text_makes_it_raise(text: str) -> None:
    found = parse(text, this_year=2026)
    assert (found.status == Status.INVALID) == (found.fault is not None)


@given(st.integers(2019, 2026), st.sampled_from(sorted(types())), st.integers(1, 99_999_999))
def test_what_the_grammar_builds_it_reads_back(year: int, kind: str, number: int) -> None:
    """An intermediate court may have every kind of case but death-penalty review, whose numbers have eight digits."""
    found = parse(f"（{year}）川01{kind}{number}号", this_year=2026)
    if kind == "刑核" and len(str(number)) != 8:
        assert found.fault == Fault.REVIEW_DIGITS
    else:
        assert (found.status, found.type, found.seq) == (Status.VALID, kind, number)


@pytest.mark.parametrize("digit", ["١", "१", "𝟙\u0661"])
def test_digits_of_other_scripts_are_no_case_number(digit: str) -> None:
    assert parse(f"（2026）川01民初{digit}号", this_year=2026).status == Status.INVALID
