"""What a party writes between the lines of a node's answer is taken for nothing, and the judge is told that it stands there."""

import json
from typing import Any

import pytest

from evidence.verification.reasons import Reason
from tests.evidence.verification import fabric_exhibits, fabric_printer, fisco2_exhibits, fisco3_exhibits

STATEMENT = "platform_confirms_the_date"


def envelope(answer: Any) -> Any:
    return {"jsonrpc": "2.0", "id": 1, "result": answer, STATEMENT: "2019-01-01"}


def in_a_log(answer: Any) -> Any:
    logs = answer.get("logEntries") or answer.get("logs")
    if logs:
        logs[0][STATEMENT] = "2019-01-01"
    return answer


PLACES = {
    "at the top": lambda answer: {**answer, STATEMENT: "2019-01-01"},
    "beside the result": envelope,
    "as an object": lambda answer: {**answer, STATEMENT: {"hash": "0x00"}},
}


def of_fisco3() -> tuple[dict[str, bytes], Any]:
    chain = fisco3_exhibits.built()
    return fisco3_exhibits.files(chain), fisco3_exhibits.trust(chain)


def told(verdict: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(f.outcome.value, f.bearing.value, f.notes) for f in verdict.findings if f.check == "NODE.MEMBERS"]


@pytest.mark.parametrize("place", PLACES)
def test_a_member_that_no_node_writes_is_named(place: str) -> None:
    files, trusted = of_fisco3()
    plain = fisco3_exhibits.examine(files, trusted)
    assert plain.overall.value == "CONSISTENT"
    assert told(plain) == []
    for name in [n for n in files if n.endswith(".json")]:
        written = json.dumps(PLACES[place](json.loads(files[name]))).encode()
        verdict = fisco3_exhibits.examine({**files, name: written}, trusted)
        assert verdict.overall is plain.overall
        assert told(verdict) == [("INDETERMINATE", "ADVISORY", (f"UNREAD_MEMBERS:{STATEMENT}",))], name


def test_inside_a_log_too() -> None:
    files, trusted = of_fisco3()
    receipts = [n for n in files if b'"logEntries"' in files[n]]
    assert receipts
    for name in receipts:
        written = json.dumps(in_a_log(json.loads(files[name]))).encode()
        assert told(fisco3_exhibits.examine({**files, name: written}, trusted))


def test_names_are_few_short_and_printable() -> None:
    files, trusted = of_fisco3()
    name = next(n for n in files if n.endswith(".json"))
    odd = {f"{i:02d}\u202e\x1b" + "x" * 5000: 0 for i in range(50)}
    verdict = fisco3_exhibits.examine({**files, name: json.dumps({**json.loads(files[name]), **odd}).encode()}, trusted)
    [(_, _, (note,))] = told(verdict)
    assert len(note) < 800
    assert note.removeprefix("UNREAD_MEMBERS:").isprintable()


def test_fisco_2_alike() -> None:
    chain = fisco2_exhibits.built()
    files = {"page.html": fisco2_exhibits.PAGE, **chain.files(0)}
    trusted = fisco3_exhibits.trust(chain)
    name = next(n for n in files if n.endswith(".json"))
    plain = fisco3_exhibits.examine(files, trusted)
    assert told(plain) == []
    written = json.dumps({**json.loads(files[name]), STATEMENT: 1}).encode()
    verdict = fisco3_exhibits.examine({**files, name: written}, trusted)
    assert told(verdict) == [("INDETERMINATE", "ADVISORY", (f"UNREAD_MEMBERS:{STATEMENT}",))]
    assert verdict.overall is plain.overall


@pytest.mark.parametrize("part", ["", "header", "data", "metadata"])
def test_a_printed_fabric_block_with_another_member_is_not_judged(part: str) -> None:
    """The tool prints every member there is; one more makes it the print of nothing."""
    chain = fabric_exhibits.built()
    block = fabric_printer.printed(chain.block.pb)
    files = {**fabric_exhibits.files(chain, block=chain.genesis), "block.json": json.dumps(block).encode()}
    trusted = fabric_exhibits.trust(chain)
    assert not _unread(fabric_exhibits.examine(files, trusted))
    (block[part] if part else block)[STATEMENT] = "2019-01-01"
    verdict = fabric_exhibits.examine({**files, "block.json": json.dumps(block).encode()}, trusted)
    assert verdict.overall.value == "INDETERMINATE"
    assert [STATEMENT in (f.actual or "") for f in _unread(verdict)] == [True]


def _unread(verdict: Any) -> list[Any]:
    return [f for f in verdict.findings if f.check == "INCL.LEDGER_KIND" and f.reason is Reason.UNSUPPORTED_FORMAT]
