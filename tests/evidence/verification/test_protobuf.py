"""The wire reader: bytes are written by hand here, following protobuf's Encoding page, never with the product's writer."""

import random

import pytest

from evidence.verification.codecs import protobuf as pb
from evidence.verification.codecs import protobuf_json, strict_json
from evidence.verification.codecs.protobuf import Fault, Kind, MessageType, ProtobufError

LIMIT = MessageType("Limit", pb.uint64(1, "gas_limit"))
ENTRY = MessageType("Entry", pb.string(1, "key"), pb.data(2, "value"))
SAMPLE = MessageType(
    "Sample",
    pb.uint32(1, "version"),
    pb.string(3, "chain_id"),
    pb.int64(4, "timestamp"),
    pb.data(5, "block_hash"),
    pb.message(8, "parameters", ENTRY, repeated=True),
    pb.enum(9, "kind", {"NORMAL": 0, "CONFIG": 1}),
    pb.message(10, "limit", LIMIT),
    pb.packed(11, "neighbors", Kind.UINT32),
    pb.mapping(12, "extra_data", pb.data(2, "value")),
    pb.int32(13, "round"),
    pb.string(300, "note"),
)

GOOD = bytes.fromhex(
    "0896 01"  # version 150
    "1a06 636861696e31"  # chain_id chain1
    "20ffffffffffffffffff 01"  # timestamp -1
    "2a02 beef"  # block_hash
    "4207 0a01 61 1202 0001"  # parameters a = 0001
    "4200"  # a parameter without key and value
    "4801"  # kind CONFIG
    "5200"  # limit, present and empty
    "5a04 01 ac02 03"  # neighbors 1, 300, 3
    "6206 0a01 7a 1201 01"  # extra_data z
    "6205 0a01 61 1200"  # extra_data a, zero value written out
    "e21201 78"  # note x, field 300
)


def test_values() -> None:
    m = pb.parse(GOOD, SAMPLE)
    assert m.number("version") == 150
    assert m.text("chain_id") == "chain1"
    assert m.number("timestamp") == -1
    assert m.data("block_hash") == b"\xbe\xef"
    assert [(p.text("key"), p.data("value")) for p in m.messages("parameters")] == [("a", b"\0\1"), ("", b"")]
    assert m.number("kind") == 1
    assert m.message("limit") is not None and m.message("limit").raw == b""
    assert m.values["neighbors"] == (1, 300, 3)
    assert dict(m.entries("extra_data")) == {"z": b"\1", "a": b""}
    assert m.number("round") == 0 and not m.has("round")
    assert m.text("note") == "x"
    assert m.raw == GOOD


def test_absent_fields_read_as_zero() -> None:
    m = pb.parse(b"", SAMPLE)
    assert (m.number("version"), m.text("chain_id"), m.data("block_hash")) == (0, "", b"")
    assert (
        m.message("limit") is None and m.messages("parameters") == () and dict(m.entries("extra_data")) == {}
    )


def test_fields_are_cut_out_of_the_bytes_as_they_came() -> None:
    m = pb.parse(GOOD, SAMPLE)
    cut = m.without("block_hash", "note")
    assert cut == GOOD.replace(bytes.fromhex("2a02beef"), b"").removesuffix(bytes.fromhex("e2120178"))
    # the map keeps its own order and its written-out zero value, which a new encoding would lose
    assert bytes.fromhex("62050a01611200") in cut
    assert m.without() == GOOD


def test_an_embedded_message_is_replaced_in_its_place() -> None:
    inner = bytes.fromhex("08ac02")
    m = pb.parse(GOOD, SAMPLE)
    assert m.replacing("limit", inner) == GOOD.replace(bytes.fromhex("5200"), bytes.fromhex("5203") + inner)


@pytest.mark.parametrize(
    ("raw", "field", "offset"),
    [
        ("08960108 9601", "Sample.version", 3),  # twice
        ("1a0161 0801", "Sample.version", 3),  # out of order
        ("08 9681 00", "Sample.version", 0),  # number not the shortest
        ("8800 01", "Sample", 0),  # tag not the shortest
        ("0800", "Sample.version", 0),  # zero written out
        ("1a00", "Sample.chain_id", 0),  # empty text written out
        ("2a00", "Sample.block_hash", 0),
        ("5a00", "Sample.neighbors", 0),
        ("0a0101", "Sample.version", 0),  # length where a number is due
        ("18 01", "Sample.chain_id", 0),  # number where a length is due
        ("58 01", "Sample.neighbors", 0),  # list not packed
        ("0d 00000000", "Sample.version", 0),  # fixed32
        ("1a02 c328", "Sample.chain_id", 0),  # not UTF-8
        ("1a05 6161", "Sample.chain_id", 0),  # longer than what is there
        ("08 8080808010", "Sample.version", 0),  # 2^32
        ("20 ffffffffffffffffff7f", "Sample.timestamp", 0),  # more than 64 bits
        ("08 ff", "Sample.version", 0),  # breaks off
        ("08", "Sample.version", 0),
        ("68 80808080f8ffffffff 01", None, 0),  # int32 -2^31: the least that fits, see below
        ("68 ffffffff f7ffffffff 01", "Sample.round", 0),  # int32 below its range
        ("4203 0a05 61", "Sample.parameters.key", 2),  # an inner length reaching out of its message
        ("6204 0a01 61 00", "Sample.extra_data", 5),  # field number 0
        ("62030a0161 62030a0161", "Sample.extra_data", 5),  # the same key twice
        ("5a02 8100", "Sample.neighbors", 2),
    ],
)
def test_what_two_readers_could_take_differently_is_refused(raw: str, field: str | None, offset: int) -> None:
    data = bytes.fromhex(raw.replace(" ", ""))
    if field is None:
        assert pb.parse(data, SAMPLE).number("round") == -(1 << 31)
        return
    with pytest.raises(ProtobufError) as caught:
        pb.parse(data, SAMPLE)
    assert (caught.value.field, caught.value.offset, caught.value.fault) == (field, offset, Fault.FORM)


def test_an_unknown_field_means_a_newer_engine() -> None:
    for raw in ("1001", "4203 5a0100", "e81201"):
        with pytest.raises(ProtobufError) as caught:
            pb.parse(bytes.fromhex(raw.replace(" ", "")), SAMPLE)
        assert caught.value.fault is Fault.UNKNOWN


def test_too_many_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pb, "FIELDS_MAX", 10)
    assert len(pb.parse(b"\x42\x00" * 10, SAMPLE).messages("parameters")) == 10
    for raw in (b"\x42\x00" * 11, bytes.fromhex("5a0a") + b"\x01" * 10):
        with pytest.raises(ProtobufError) as caught:
            pb.parse(raw, SAMPLE)
        assert caught.value.fault is Fault.LIMIT


def test_no_byte_of_a_message_is_ignored() -> None:
    """Every single-bit change is either refused or seen in a value: nothing is skipped."""
    before = pb.parse(GOOD, SAMPLE)
    for position in range(len(GOOD) * 8):
        changed = bytearray(GOOD)
        changed[position // 8] ^= 1 << position % 8
        try:
            after = pb.parse(bytes(changed), SAMPLE)
        except ProtobufError:
            continue
        assert _values(after) != _values(before)


def test_noise_is_refused_or_read_and_nothing_else() -> None:
    rng = random.Random(20260101)
    for _ in range(3000):
        noise = rng.randbytes(rng.randrange(40))
        try:
            message = pb.parse(noise, SAMPLE)
        except ProtobufError:
            continue
        assert message.raw == noise


def test_json_in_both_renderings_gives_the_bytes_the_node_hashed() -> None:
    go = b"""{"version":150,"chain_id":"chain1","timestamp":-1,"block_hash":"vu8=",
        "parameters":[{"key":"a","value":"AAE="},{}],"kind":1,"limit":{},"neighbors":[1,300,3],
        "extra_data":{"z":"AQ=="},"note":"x"}"""
    proto = b"""{"version":150,"chainId":"chain1","timestamp":"-1","blockHash":"vu8=",
        "parameters":[{"key":"a","value":"AAE="},{"key":"","value":null}],"kind":"CONFIG","limit":{"gasLimit":"0"},
        "neighbors":[1,300,3],"extraData":{"z":"AQ=="},"round":0,"note":"x"}"""
    expected = GOOD.replace(bytes.fromhex("62050a01611200"), b"")
    for text in (go, proto):
        assert protobuf_json.to_wire(strict_json.loads(text), SAMPLE) == expected


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b'{"version":1.0}', Fault.FORM),
        (b'{"version":true}', Fault.FORM),
        (b'{"version":"01"}', Fault.FORM),
        (b'{"version":" 1"}', Fault.FORM),
        (b'{"version":4294967296}', Fault.FORM),
        (b'{"version":-1}', Fault.FORM),
        (b'{"chain_id":1}', Fault.FORM),
        (b'{"chain_id":"a","chainId":"a"}', Fault.FORM),
        (b'{"block_hash":"vu9="}', Fault.FORM),
        (b'{"block_hash":"vu8"}', Fault.FORM),
        (b'{"limit":[]}', Fault.FORM),
        (b'{"parameters":{}}', Fault.FORM),
        (b'{"parameters":[null]}', Fault.FORM),
        (b'{"extra_data":[]}', Fault.FORM),
        (b'{"extra_data":{"a":1}}', Fault.FORM),
        (b"[]", Fault.FORM),
        (b'{"kind":"CONFIGURATION"}', Fault.UNKNOWN),
        (b'{"newer":1}', Fault.UNKNOWN),
        (b'{"limit":{"newer":1}}', Fault.UNKNOWN),
    ],
)
def test_json_that_is_not_the_message(text: bytes, fault: Fault) -> None:
    with pytest.raises(ProtobufError) as caught:
        protobuf_json.to_wire(strict_json.loads(text), SAMPLE)
    assert caught.value.fault is fault


FLAGGED = MessageType(
    "Flagged", pb.flag(1, "marked"), pb.data(2, "tree", repeated=True), pb.mapping(3, "reasons", pb.string(2, "value"))
)


def test_flags_lists_of_bytes_and_maps_of_texts() -> None:
    raw = bytes.fromhex("0801" "1202aabb" "1200" "1a06" "0a0162" "120178" "1a05" "0a0161" "1200")
    message = pb.parse(raw, FLAGGED)
    assert (message.number("marked"), message.parts("tree")) == (1, (b"\xaa\xbb", b""))
    assert dict(message.entries("reasons")) == {"b": "x", "a": ""}
    text = b'{"marked":true,"tree":["qrs=",null],"reasons":{"a":"","b":"x"}}'
    written = protobuf_json.to_wire(strict_json.loads(text), FLAGGED)
    assert written == bytes.fromhex("0801" "1202aabb" "1200" "1a05" "0a0161" "1200" "1a06" "0a0162" "120178")
    for wrong in (b'{"marked":1}', b'{"marked":"true"}', b'{"reasons":{"a":1}}'):
        with pytest.raises(ProtobufError):
            protobuf_json.to_wire(strict_json.loads(wrong), FLAGGED)
    for broken in ("0802", "0800", "08ffffffffffffffffff01"):
        with pytest.raises(ProtobufError):
            pb.parse(bytes.fromhex(broken), FLAGGED)


def _values(message: pb.Message) -> object:
    def plain(value: object) -> object:
        if isinstance(value, pb.Message):
            return _values(value)
        if isinstance(value, list | tuple):
            return [plain(v) for v in value]
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        return value

    return [(k, plain(v)) for k, v in message.values.items()]
