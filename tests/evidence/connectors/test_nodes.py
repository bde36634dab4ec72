"""The court's configuration of its nodes: what is missing or contradictory is named, and nothing is guessed."""

import json
from pathlib import Path
from typing import Any

import pytest

from evidence.connectors.nodes import ConfigurationError, load

from .node_servers import configuration, entry

CHAINMAKER = {
    "family": "chainmaker",
    "group_id": "",
    "url": "grpcs://node.court.example:12301",
    "ca": "ca.pem",
    "tls_name": "chainmaker.org",
    "member": {"org_id": "court", "kind": "certificate", "certificate": "m.crt", "key": "m.key"},
}


def test_a_complete_file(tmp_path: Path) -> None:
    fisco, chain = load(configuration(tmp_path, entry(8545), entry(1, id="court-chain", **CHAINMAKER)))
    assert (fisco.host, fisco.port, fisco.tls, fisco.enabled, fisco.automatic) == ("127.0.0.1", 8545, False, True, True)
    assert (chain.host, chain.port, chain.tls, chain.tls_name) == ("node.court.example", 12301, True, "chainmaker.org")
    assert chain.ca == tmp_path / "ca.pem" and chain.member is not None and chain.member.key == tmp_path / "m.key"
    assert load(None) == ()


def test_nothing_is_asked_unless_it_is_switched_on(tmp_path: Path) -> None:
    line = entry(8545)
    del line["enabled"], line["automatic"]
    (node,) = load(configuration(tmp_path, line))
    assert (node.enabled, node.automatic) == (False, False)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"id": "Court Node"}, "id"),
    ({"id": "../x"}, "id"),
    ({"family": "bitcoin"}, "family"),
    ({"title": "x"}, "title"),
    ({"title": {"zh": "x"}}, "title"),
    ({"url": "http://127.0.0.1:8545", "cleartext": False}, "cleartext"),
    ({"url": "https://node.example:8545"}, "ca"),
    ({"url": "https://node.example"}, "url"),
    ({"url": "https://user:secret@node.example:1", "ca": "c"}, "url"),
    ({"url": "https://node.example:1/?a=b", "ca": "c"}, "url"),
    ({"url": "https://node.example:1/a b", "ca": "c"}, "url"),
    ({"url": "https://node.example:99999", "ca": "c"}, "url"),
    ({"url": "file:///etc/passwd"}, "url"),
    ({"url": "grpc://127.0.0.1:1"}, "url"),
    ({"url": "http://nöde:1"}, "url"),
    ({"group_id": ""}, "group_id"),
    ({"family": "fisco2"}, "group_id"),
    ({"allowed": "10.0.0.0/8"}, "allowed"),
    ({"allowed": ["10.0.0.1/8"]}, "allowed"),
    ({"allowed": [167772160]}, "allowed"),
    ({"certificate_sha256": "ab"}, "certificate_sha256"),
    ({"client_certificate": "c"}, "client_certificate"),
    ({"enabled": "yes"}, "enabled"),
    ({"seconds": 600}, "seconds"),
    ({"seconds": True}, "seconds"),
    ({"answer_mib": 0}, "answer_mib"),
    ({"member": CHAINMAKER["member"]}, "member"),
    ({**CHAINMAKER, "member": None}, "member"),
    ({**CHAINMAKER, "member": {"kind": "certificate", "key": "k"}}, "kind"),
    ({**CHAINMAKER, "member": {**CHAINMAKER["member"], "password": "x"}}, "password"),  # type: ignore[dict-item]
    ({"proxy": "http://x"}, "proxy"),
]


@pytest.mark.parametrize(("changes", "named"), WRONG)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    line = {**entry(8545), **changes}
    with pytest.raises(ConfigurationError, match=named):
        load(configuration(tmp_path, line))


def test_two_nodes_of_one_name_and_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="same id"):
        load(configuration(tmp_path, entry(1), entry(2)))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(tmp_path / "absent.json")
    for text in ("", "{}", "[]", '{"format":"mingjian.connectors","version":2,"nodes":[]}', '{"format":1,"format":1}', "[" * 9999):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(ConfigurationError):
            load(tmp_path / "x.json")


def test_a_transaction_id_has_one_spelling(tmp_path: Path) -> None:
    fisco, chain = load(configuration(tmp_path, entry(8545), entry(1, id="court-chain", **CHAINMAKER)))
    assert fisco.spelt("AB" * 32) == fisco.spelt("0x" + "ab" * 32) == "0x" + "ab" * 32
    assert chain.spelt("Ab_1") == "Ab_1" and chain.names("Ab_1")
    assert not fisco.names("ab") and not chain.names("a/b") and not chain.names("") and not chain.names("x" * 65)
    assert json.dumps(fisco.spelt("ab" * 32))
