"""Where a connector may go: every kind of address that leads back inside is refused, and a name is resolved once (reliability S1)."""

import time
from ipaddress import ip_network

import pytest

from evidence.connectors.addresses import AddressRefused, NoAddress, admissible, resolve

INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%1",
    "fec0::1",
    "ff02::1",
]
NEVER = ["0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "::", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1", "ff02::1", "2002:a00:1::"]  # noqa: S104
ODD = ["", "localhost", "127.1", "0x7f000001", "2130706433", "017700000001", "127.0.0.1 ", "1.2.3.4.5", "①②⑦.0.0.1"]


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_that_leads_inside_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused):
        admissible(text, ())


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::1"])
def test_a_public_address_is_admitted(text: str) -> None:
    assert str(admissible(text, ())) == text


@pytest.mark.parametrize("text", ["127.0.0.1", "10.20.0.7", "fd12:3456::1", "::1", "100.64.0.1"])
def test_an_address_inside_is_admitted_only_where_the_node_lists_it(text: str) -> None:
    listed = tuple(ip_network(n) for n in ("127.0.0.0/8", "10.20.0.0/16", "fd12:3456::/32", "::1/128", "100.64.0.0/10"))
    assert str(admissible(text, listed)) == text
    with pytest.raises(AddressRefused):
        admissible(text, (ip_network("10.30.0.0/16"),))


@pytest.mark.parametrize("text", NEVER)
def test_some_addresses_cannot_even_be_listed(text: str) -> None:
    with pytest.raises(AddressRefused):
        admissible(text, (ip_network("0.0.0.0/0"), ip_network("::/0")))


@pytest.mark.parametrize("text", ODD)
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    with pytest.raises(AddressRefused):
        admissible(text, (ip_network("0.0.0.0/0"),))


def test_one_bad_address_spoils_the_name() -> None:
    """To see it fail: judge only the address that is taken."""
    with pytest.raises(AddressRefused):
        resolve("node.example", 443, allowed=(), seconds=1, resolver=lambda h, p: ["8.8.8.8", "127.0.0.1"])


def test_a_name_is_looked_up_once() -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"] if len(asked) == 1 else ["127.0.0.1"]

    assert str(resolve("node.example", 443, allowed=(), seconds=1, resolver=rebinding)) == "8.8.8.8"
    assert asked == ["node.example"]


def test_a_resolver_that_hangs_costs_its_time_and_no_more() -> None:
    began = time.monotonic()
    with pytest.raises(NoAddress):
        resolve("node.example", 443, allowed=(), seconds=0.2, resolver=lambda h, p: time.sleep(3) or [])  # type: ignore[func-returns-value]
    assert time.monotonic() - began < 2


def test_a_name_without_an_address_and_one_with_too_many() -> None:
    with pytest.raises(NoAddress):
        resolve("node.example", 443, allowed=(), seconds=1, resolver=lambda h, p: [])
    with pytest.raises(AddressRefused):
        resolve("node.example", 443, allowed=(), seconds=1, resolver=lambda h, p: [f"8.8.8.{i}" for i in range(17)])


def test_the_systems_resolver_and_the_odd_spellings_of_the_loopback() -> None:
    """inet_aton forms are turned into plain addresses by the system, and those are judged."""
    for host in ("localhost", "127.1", "0x7f000001"):
        with pytest.raises((AddressRefused, NoAddress)):
            resolve(host, 80, allowed=(), seconds=5)
