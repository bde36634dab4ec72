"""Changes to pyHanko that the report needs, in one place, each with the version it was written for (spec signed-report §8.4, §9).

1. `IncrementalPdfFileWriter._update_meta` rewrites XMP and breaks the PDF/A extension schema; signing changes no metadata.
2. `PdfFileReader._get_object_from_stream` re-reads the index of an object stream for each object in it; the index is kept.

A test fails when the library's own code changes, so that each patch is looked at again.
"""

import threading
import weakref
from io import BytesIO
from typing import Any

WRITTEN_FOR = "0.38.0"
_lock = threading.Lock()

_indexes: "weakref.WeakKeyDictionary[Any, dict[int, tuple[bytes, dict[int, tuple[int, int]]]]]" = (
    weakref.WeakKeyDictionary()
)


def apply() -> None:
    """Idempotent, process-wide."""
    from pyhanko.pdf_utils import incremental_writer, reader

    with _lock:
        writer_class: Any = incremental_writer.IncrementalPdfFileWriter
        reader_class: Any = reader.PdfFileReader
        if writer_class._update_meta is _leave_metadata:
            return
        reader_class._mingjian_original = reader_class._get_object_from_stream
        reader_class._get_object_from_stream = _object_from_stream
        writer_class._update_meta = _leave_metadata  # last: it says that all is done


def _leave_metadata(self: Any) -> None:
    """A signature is no edit: dates and XMP stay as they were rendered."""


def _object_from_stream(self: Any, idnum: int, stmnum: int, idx: int) -> Any:
    """Same answer as the original, from a kept index; on anything unusual the original decides."""
    from pyhanko.pdf_utils import generic

    per_reader = _indexes.setdefault(self, {})
    if stmnum not in per_reader:
        index = _index(self, stmnum)
        if index is None:
            return self._mingjian_original(idnum, stmnum, idx)
        per_reader[stmnum] = index
    data, places = per_reader[stmnum]
    place = places.get(idnum)
    if place is None or place[0] != idx:
        return self._mingjian_original(idnum, stmnum, idx)
    stream = BytesIO(data)
    stream.seek(place[1])
    try:
        found = generic.read_object(stream, generic.Reference(idnum, 0, self))
    except Exception:  # the original names the fault in its own words
        return self._mingjian_original(idnum, stmnum, idx)
    if isinstance(found, (generic.StreamObject, generic.IndirectObject)):
        return self._mingjian_original(idnum, stmnum, idx)
    return found


def _index(reader: Any, stmnum: int) -> tuple[bytes, dict[int, tuple[int, int]]] | None:
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.decode_limits import DecodePurpose

    stream = generic.Reference(stmnum, 0, reader).get_object()
    if not isinstance(stream, generic.StreamObject) or stream.get("/Type") != "/ObjStm":
        return None
    data = stream.read_data(DecodePurpose.OBJECT_STREAM)
    first, count = int(stream["/First"]), int(stream["/N"])
    header = data[:first].split()
    if len(header) != 2 * count or not all(word.isdigit() for word in header):
        return None
    numbers = [int(word) for word in header]
    places: dict[int, tuple[int, int]] = {}
    for position in range(count):
        places.setdefault(numbers[2 * position], (position, first + numbers[2 * position + 1]))
    return data, places
