"""Strict reader and writer of the protobuf wire format (proto3), driven by field tables.

Hashes and signatures of ledgers are taken over the very bytes a node wrote. So the reader keeps every slice as it came, a
message "without field n" is made by cutting bytes and never by encoding again, and whatever two readers could take
differently is refused: duplicate or out-of-order fields, lengths and numbers that are not the shortest, zero values written
out, wrong wire types, text that is not UTF-8. A field that the table does not know means a newer engine: `Fault.UNKNOWN`.

Entries of a map come in any order and may spell zero values out, because Go writes them so; their keys must still differ.
Source: protobuf.dev, "Encoding" and "Proto serialization is not canonical".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any

FIELDS_MAX = 5_000_000
"""Fields in one message tree: a block of 100,000 transactions of some 45 fields each."""
NUMBER_MAX = (1 << 29) - 1
"""Largest field number protobuf allows."""

_VARINT, _LENGTH = 0, 2


class Kind(StrEnum):
    UINT32 = "uint32"
    UINT64 = "uint64"
    INT32 = "int32"
    INT64 = "int64"
    ENUM = "enum"
    BOOL = "bool"
    STRING = "string"
    BYTES = "bytes"
    MESSAGE = "message"


RANGE: Mapping[Kind, tuple[int, int]] = MappingProxyType(
    {
        Kind.UINT32: (0, (1 << 32) - 1),
        Kind.UINT64: (0, (1 << 64) - 1),
        Kind.INT32: (-(1 << 31), (1 << 31) - 1),
        Kind.INT64: (-(1 << 63), (1 << 63) - 1),
        Kind.ENUM: (0, (1 << 31) - 1),
        Kind.BOOL: (0, 1),
    }
)
"""Least and greatest value of each number kind. Negative enum values exist in protobuf and in none of our ledgers."""


class Fault(StrEnum):
    FORM = "form"
    """The bytes break the rules above."""
    UNKNOWN = "unknown"
    """A field or a value that the table does not list."""
    LIMIT = "limit"
    """More fields than `FIELDS_MAX`."""


class ProtobufError(ValueError):
    """Says which field (`Block.header.chain_id`) breaks which rule, and the offset of its tag where known."""

    def __init__(
        self, problem: str, *, field: str, offset: int | None = None, fault: Fault = Fault.FORM
    ) -> None:
        super().__init__(f"{field}: {problem}" + ("" if offset is None else f" at {offset}"))
        self.field = field
        self.offset = offset
        self.fault = fault


@dataclass(frozen=True)
class Field:
    """One line of a field table. A map is a repeated field whose `message` is the type of its entries."""

    number: int
    name: str
    kind: Kind
    repeated: bool = False
    message: "MessageType | None" = None
    names: Mapping[str, int] | None = None
    """ENUM only: the names JSON may use."""
    is_map: bool = False

    @cached_property
    def tag(self) -> bytes:
        wire = _LENGTH if self.kind not in RANGE or self.repeated else _VARINT
        return varint(self.number << 3 | wire)


class MessageType:
    """A field table. `lenient` is for map entries: zero values may be written out."""

    def __init__(self, name: str, *fields: Field, lenient: bool = False) -> None:
        self.name = name
        self.lenient = lenient
        self.fields = tuple(sorted(fields, key=lambda f: f.number))
        self.by_number = {f.number: f for f in fields}
        self.by_name = {f.name: f for f in fields}


def uint32(number: int, name: str) -> Field:
    return Field(number, name, Kind.UINT32)


def uint64(number: int, name: str) -> Field:
    return Field(number, name, Kind.UINT64)


def int32(number: int, name: str) -> Field:
    return Field(number, name, Kind.INT32)


def int64(number: int, name: str) -> Field:
    return Field(number, name, Kind.INT64)


def enum(number: int, name: str, names: Mapping[str, int]) -> Field:
    return Field(number, name, Kind.ENUM, names=names)


def string(number: int, name: str, *, repeated: bool = False) -> Field:
    return Field(number, name, Kind.STRING, repeated)


def flag(number: int, name: str) -> Field:
    return Field(number, name, Kind.BOOL)


def data(number: int, name: str, *, repeated: bool = False) -> Field:
    return Field(number, name, Kind.BYTES, repeated)


def message(number: int, name: str, of: MessageType, *, repeated: bool = False) -> Field:
    return Field(number, name, Kind.MESSAGE, repeated, of)


def packed(number: int, name: str, kind: Kind) -> Field:
    return Field(number, name, kind, True)


def mapping(number: int, name: str, value: Field) -> Field:
    """`map<string, …>`; `value` is the entry's field 2."""
    entry = MessageType(f"{name}[]", string(1, "key"), value, lenient=True)
    return Field(number, name, Kind.MESSAGE, True, entry, is_map=True)


@dataclass(frozen=True, eq=False)
class Message:
    """A parsed message: its own bytes, and its values by field name.

    Absent fields read as protobuf's zero value, except messages, which read as None.
    """

    type: MessageType
    buffer: bytes
    start: int
    end: int
    values: Mapping[str, Any]

    @property
    def raw(self) -> bytes:
        """The message as it came. Cut anew each time: the slices of a large block must not live all at once."""
        return self.buffer[self.start : self.end]

    def has(self, name: str) -> bool:
        return name in self.values

    def number(self, name: str) -> int:
        return int(self.values.get(name, 0))

    def data(self, name: str) -> bytes:
        return bytes(self.values.get(name, b""))

    def text(self, name: str) -> str:
        return str(self.values.get(name, ""))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self.values.get(name, ()))

    def parts(self, name: str) -> tuple[bytes, ...]:
        """A repeated field of bytes."""
        return tuple(self.values.get(name, ()))

    def message(self, name: str) -> "Message | None":
        found: Message | None = self.values.get(name)
        return found

    def messages(self, name: str) -> tuple["Message", ...]:
        return tuple(self.values.get(name, ()))

    def entries(self, name: str) -> Mapping[str, Any]:
        """A map: key -> value (bytes, str or Message)."""
        return MappingProxyType(self.values.get(name, {}))

    def without(self, *names: str) -> bytes:
        """The bytes of this message with those fields cut out; everything else stays as it came."""
        numbers = {self.type.by_name[n].number for n in names}
        return b"".join(
            self.buffer[start:end] for number, start, end in self._spans() if number not in numbers
        )

    def replacing(self, name: str, content: bytes) -> bytes:
        """The bytes of this message with another content in the embedded message `name`, which keeps its place."""
        field = self.type.by_name[name]
        return b"".join(
            field.tag + varint(len(content)) + content if number == field.number else self.buffer[start:end]
            for number, start, end in self._spans()
        )

    def _spans(self) -> Iterator[tuple[int, int, int]]:
        """(field number, offset of the tag, offset behind the field) of each field; the reader has checked them all."""
        at = self.start
        while at < self.end:
            start = at
            tag, at = _checked_varint(self.buffer, at)
            value, at = _checked_varint(self.buffer, at)
            if tag & 7 == _LENGTH:
                at += value
            yield tag >> 3, start, at


def parse(raw: bytes, of: MessageType) -> Message:
    """Bytes -> Message. Raises ProtobufError and nothing else."""
    return _Reader().message(raw, 0, len(raw), of, of.name)


def varint(value: int) -> bytes:
    """Shortest base-128 form of 0..2^64-1."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def shortest_varint(raw: bytes, at: int) -> tuple[int, int] | None:
    """The number at `at` and the offset behind it; None when it is cut off, longer than need be or wider than 64 bits."""
    return _read_varint(raw, at, len(raw))


def encode(of: MessageType, values: Mapping[str, Any]) -> bytes:
    """Values by field name -> bytes, fields ascending, zero values left out, empty embedded messages kept.

    An embedded message is given as its bytes (b"" is present but empty, None absent), a map as a mapping key -> bytes or str.
    """
    out = bytearray()
    for field in of.fields:
        value = values.get(field.name)
        if value is None:
            continue
        if field.is_map:
            for key in sorted(value):
                entry = _bytes_field(1, key.encode()) + _bytes_field(2, _content(value[key]))
                out += _bytes_field(field.number, entry)
        elif field.repeated and field.kind in RANGE:
            if value:
                out += _bytes_field(field.number, b"".join(_number(v) for v in value))
        elif field.repeated:
            for item in value:
                out += _bytes_field(field.number, _content(item))
        elif field.kind in RANGE:
            if value:
                out += field.tag + _number(value)
        elif field.kind is Kind.MESSAGE or value:
            out += _bytes_field(field.number, _content(value))
    return bytes(out)


def _number(value: int) -> bytes:
    return varint(value & ((1 << 64) - 1))


def _content(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _bytes_field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | _LENGTH) + varint(len(content)) + content


def _read_varint(raw: bytes, at: int, end: int) -> tuple[int, int] | None:
    """(value, offset behind it), or None when it is not the shortest form of at most 64 bits within `end`."""
    if at < end and raw[at] < 0x80:
        return raw[at], at + 1
    value = shift = 0
    while at < end and shift < 70:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value, at) if byte and value >> 64 == 0 else None
    return None


def _checked_varint(raw: bytes, at: int) -> tuple[int, int]:
    found = _read_varint(raw, at, len(raw))
    if found is None:
        raise ProtobufError("broken number", field="message", offset=at)
    return found


class _Reader:
    def __init__(self) -> None:
        self._left = FIELDS_MAX

    def message(self, raw: bytes, at: int, end: int, of: MessageType, path: str) -> Message:
        """Recursion is as deep as the field tables, which are fixed and do not refer to themselves."""
        start = at
        values: dict[str, Any] = {}
        previous = 0
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise ProtobufError("too many fields", field=path, offset=at, fault=Fault.LIMIT)
            tag_at = at
            tag = _read_varint(raw, at, end)
            if tag is None:
                raise ProtobufError("tag is not a shortest number", field=path, offset=tag_at)
            number, wire, at = tag[0] >> 3, tag[0] & 7, tag[1]
            if not 1 <= number <= NUMBER_MAX:
                raise ProtobufError("field number out of range", field=path, offset=tag_at)
            field = of.by_number.get(number)
            if field is None:
                raise ProtobufError(
                    "unknown field", field=f"{path}.{number}", offset=tag_at, fault=Fault.UNKNOWN
                )
            name = f"{path}.{field.name}"
            if number < previous:
                raise ProtobufError("field out of order", field=name, offset=tag_at)
            if number == previous and (not field.repeated or field.kind in RANGE):
                raise ProtobufError("field twice", field=name, offset=tag_at)
            previous = number
            if wire != (_LENGTH if field.repeated or field.kind not in RANGE else _VARINT):
                raise ProtobufError("wrong wire type", field=name, offset=tag_at)
            read = _read_varint(raw, at, end)
            if read is None:
                raise ProtobufError("not a shortest number", field=name, offset=tag_at)
            value, at = read
            if wire == _VARINT:
                self._put(values, field, self._ranged(value, field, name, tag_at), of, name, tag_at)
                continue
            if value > end - at:
                raise ProtobufError("longer than the message around it", field=name, offset=tag_at)
            stop = at + value
            self._put(values, field, self._delimited(raw, at, stop, field, name, tag_at), of, name, tag_at)
            at = stop
        return Message(of, raw, start, end, values)

    def _delimited(self, raw: bytes, at: int, stop: int, field: Field, name: str, tag_at: int) -> Any:
        if field.message is not None:
            return self.message(raw, at, stop, field.message, name)
        if field.kind is Kind.BYTES:
            return raw[at:stop]
        if field.kind is Kind.STRING:
            try:
                return raw[at:stop].decode("utf-8")
            except UnicodeDecodeError as fault:
                raise ProtobufError("not UTF-8", field=name, offset=tag_at) from fault
        return self._packed(raw, at, stop, field, name, tag_at)

    def _packed(
        self, raw: bytes, at: int, stop: int, field: Field, name: str, tag_at: int
    ) -> tuple[int, ...]:
        found = []
        while at < stop:
            self._left -= 1
            if self._left < 0:
                raise ProtobufError("too many values", field=name, offset=at, fault=Fault.LIMIT)
            read = _read_varint(raw, at, stop)
            if read is None:
                raise ProtobufError("not a shortest number", field=name, offset=at)
            found.append(self._ranged(read[0], field, name, at))
            at = read[1]
        if not found:
            raise ProtobufError("empty list written out", field=name, offset=tag_at)
        return tuple(found)

    @staticmethod
    def _ranged(value: int, field: Field, name: str, offset: int) -> int:
        low, high = RANGE[field.kind]
        signed = value - (1 << 64) if low < 0 and value >> 63 else value
        if not low <= signed <= high:
            raise ProtobufError("number out of range", field=name, offset=offset)
        return signed

    @staticmethod
    def _put(
        values: dict[str, Any], field: Field, value: Any, of: MessageType, name: str, offset: int
    ) -> None:
        if field.is_map:
            entries = values.setdefault(field.name, {})
            key = value.text("key")
            if key in entries:
                raise ProtobufError("the same key twice", field=name, offset=offset)
            entries[key] = _entry_value(value)
        elif field.repeated and field.kind not in RANGE:
            values.setdefault(field.name, []).append(value)
        elif value or field.kind is Kind.MESSAGE or of.lenient:
            values[field.name] = value
        else:
            raise ProtobufError("zero value written out", field=name, offset=offset)


def _entry_value(entry: Message) -> Any:
    field = entry.type.by_number[2]
    if field.kind is not Kind.MESSAGE:
        return entry.text(field.name) if field.kind is Kind.STRING else entry.data(field.name)
    # A map entry without its value stands for an empty message.
    return entry.message(field.name) or Message(field.message or entry.type, b"", 0, 0, {})
