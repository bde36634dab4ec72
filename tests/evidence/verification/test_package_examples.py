"""The example packages of docs/formats/examples: each holds the schema and passes the producer's own test.

    python -m tests.evidence.verification.test_package_examples     writes them anew (Fabric signs with fresh numbers each time)
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from evidence.verification.chains.package_envelope import FAMILIES
from tests.evidence.verification.chainmaker_exhibits import PAGE

HOUSE = Path(__file__).resolve().parents[3]
FOLDER = HOUSE / "docs" / "formats" / "examples"
SCHEMA = json.loads((HOUSE / "docs/schema/chain-proof.schema.json").read_bytes())
TESTED = ("DIGEST.MATCH", "INCL.TRANSACTION", "INCL.SENDER", "INCL.PATH", "INCL.HEADER", "INCL.EXECUTION")
BY_DESIGN = {
    "INCL.LEDGER_KIND": {"ANCHOR_UNTRUSTED"},
    "INCL.CONTENT": {"CONTRACT_UNKNOWN"},
}
"""What nobody can pass without a court."""


def examples() -> dict[str, dict[str, Any]]:
    from portal.demonstration import fisco3
    from tests.evidence.verification import (
        chainmaker_exhibits,
        fabric_exhibits,
        fisco2_exhibits,
        fisco3_exhibits,
        xuperchain_exhibits,
    )
    from tests.evidence.verification.test_proof_package import chainmaker_package

    sha256 = hashlib.sha256(PAGE).digest()
    chainmaker = chainmaker_package(chainmaker_exhibits.built("SM"), form="json")
    chainmaker["evidence"][0]["location"] = {
        "where": "param", "contract": "evidence", "method": "Evidence", "key": "hash", "encoding": "hex-text",
    }  # fmt: skip
    fabric = json.loads(fabric_exhibits.package(fabric_exhibits.built(), config_block=None))
    made = {
        "chainmaker": chainmaker,
        "fisco2": fisco2_exhibits.package(fisco2_exhibits.built("SM"), [("page.html", "SHA-256", sha256)]),
        "fisco3": fisco3.package(fisco3_exhibits.built("SM"), [("page.html", "SHA-256", sha256)]),
        "fabric": fabric,
        "xuperchain": xuperchain_exhibits.built().package(),
    }
    producer = {"name": "示例平台 Example platform", "at": "2026-01-01T08:00:10+08:00", "software": "example 1.0"}
    order = ("format", "version", "family", "chain", "evidence", "producer")
    whole: dict[str, dict[str, Any]] = {}
    for family, value in made.items():
        value["producer"] = producer
        whole[family] = {k: value[k] for k in (*order, *(k for k in value if k not in order))}
    return whole


def produced(family: str, folder: Path = FOLDER) -> dict[str, Any]:
    """What the command line says to a producer."""
    command = [sys.executable, "-m", "evidence.verification", "--trust", "none", "--at", "2026-11-22T12:00:00Z", "--json"]
    files = [str(folder / "page.html"), str(folder / f"{family}.mjproof.json")]
    done = subprocess.run([*command, *files], capture_output=True, cwd=HOUSE, check=False)  # noqa: S603
    assert done.returncode == 2, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_an_example_passes_the_producers_own_test(family: str) -> None:
    value = json.loads((FOLDER / f"{family}.mjproof.json").read_bytes())
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(value)) == []
    assert value["family"] == family
    verdict = produced(family)
    assert verdict["overall"] == "INDETERMINATE"
    seen: dict[str, set[tuple[str, str | None]]] = {}
    for finding in verdict["findings"]:
        seen.setdefault(finding["check"], set()).add((finding["outcome"], finding["reason"]))
    for check in TESTED:
        expected = {("INDETERMINATE", "VALIDITY_FLAG_UNSIGNED")} if (family, check) == ("fabric", "INCL.EXECUTION") else {("PASSED", None)}
        if (family, check) == ("fabric", "INCL.SENDER"):
            expected = {("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND")}
        assert seen[check] == expected, (check, seen[check])
    for check, reasons in BY_DESIGN.items():
        assert seen[check] == {("INDETERMINATE", r) for r in reasons}, (check, seen[check])
    assert seen["INCL.NODE_QUORUM"] != {("PASSED", None)}
    assert not [f for f in verdict["findings"] if f["outcome"] == "FAILED"]


def test_the_page_is_the_one_that_was_recorded() -> None:
    assert (FOLDER / "page.html").read_bytes() == PAGE


def test_examples_have_the_members_of_the_builders() -> None:
    for family, made in examples().items():
        value = json.loads((FOLDER / f"{family}.mjproof.json").read_bytes())
        assert value.keys() == made.keys()
        assert value["chain"].keys() == made["chain"].keys()
        assert value["evidence"] == made["evidence"]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "page.html").write_bytes(PAGE)
    for name, package in examples().items():
        (FOLDER / f"{name}.mjproof.json").write_text(json.dumps(package, ensure_ascii=False, indent=1) + "\n")
