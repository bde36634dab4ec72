"""Plain forms with files, read whole or not at all.

Django's reader takes a body that was cut anywhere for a shorter one: later files and fields are silently missing (spec
reliability F1). Here the body must have exactly the announced length, no file may be dropped for its name, the form's last
field must have arrived, and where the page's script listed what it sends, that list must match.
"""

import errno
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import (
    FileUploadHandler,
    MemoryFileUploadHandler,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.http.request import UnreadablePostError
from django.template.defaultfilters import filesizeformat
from django.utils.datastructures import MultiValueDict

from evidence.verification.codecs import strict_json
from portal.vault.disk import CHUNK, Readable

from . import limits
from .sentences import Refused

LAST_FIELD, LAST_VALUE = "end", "whole"
"""The hidden field that closes every form with files: if it is there, so is all that stood before it."""
MANIFEST_FIELD = "manifest"


def read(request: HttpRequest, *, files: bool) -> None:
    """Parse the body now. Raises Refused: UPLOAD_TOO_BIG, UPLOAD_TORN, UPLOAD_TOO_MANY, UPLOAD_FULL.

    files    this form carries files and closes with the last field
    """
    if request.method != "POST":
        return
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isascii() or not length.isdigit():
        raise Refused("UPLOAD_TORN")
    if int(length) > limits.PLAIN_MAX + limits.FORM_ROOM:
        _drain(request)
        raise Refused("UPLOAD_TOO_BIG", n=filesizeformat(limits.PLAIN_MAX))
    request.upload_handlers = [WholeBody(request)]
    try:
        if not (request.content_type or "").startswith("multipart/") and len(request.body) != int(length):
            raise Refused("UPLOAD_TORN")
        request.POST  # noqa: B018  (the body is parsed by asking for it)
    except TooManyFilesSent as fault:
        raise Refused("UPLOAD_TOO_MANY", n=limits.FILES_MAX) from fault
    except RequestDataTooBig as fault:
        raise Refused("UPLOAD_TOO_BIG", n=filesizeformat(limits.PLAIN_MAX)) from fault
    except (MultiPartParserError, UnreadablePostError, SuspiciousOperation) as fault:
        raise Refused("UPLOAD_TORN") from fault
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refused("UPLOAD_FULL") from fault
        raise
    if files and request.POST.get(LAST_FIELD) != LAST_VALUE:
        raise Refused("UPLOAD_TORN")


def check_manifest(text: str, files: list[UploadedFile]) -> list[dict[str, str]]:
    """The page's own list of what it sends -> for each file the digests it told ({} where it told none).

    text    JSON [{"name", "size", "sha256"?, "sm3"?}, …] in the order of the files; "" when the page had no script
    Raises Refused when count, size or form differ: something was lost on the way.
    """
    if not text:
        return [{} for _ in files]
    try:
        entries = strict_json.loads(text.encode("utf-8", "surrogatepass")[: limits.MANIFEST_MAX])
    except strict_json.JsonError as fault:
        raise Refused("UPLOAD_TORN") from fault
    if not isinstance(entries, list) or len(entries) != len(files):
        raise Refused("UPLOAD_TORN")
    told = []
    for entry, file in zip(entries, files, strict=True):
        if not isinstance(entry, dict) or entry.get("size") != file.size:
            raise Refused("UPLOAD_TORN")
        told.append({key: str(entry[key]) for key in ("name", "sha256", "sm3") if key in entry})
    return told


class WholeBody(FileUploadHandler):
    """Reads the multipart body through a counter, and refuses it when it is shorter than announced."""

    def handle_raw_input(
        self,
        input_data: Readable,
        META: dict[str, Any],  # noqa: N803  (Django's name)
        content_length: int,
        boundary: bytes,
        encoding: str | None = None,
    ) -> tuple[QueryDict, MultiValueDict[str, UploadedFile]]:
        counted = Counted(input_data)
        handlers = [MemoryFileUploadHandler(self.request), TemporaryFileUploadHandler(self.request)]
        parser = Parser(META, counted, handlers, encoding)  # type: ignore[arg-type]
        post, files = parser.parse()
        if counted.total != content_length:
            for uploads in files.lists():
                for upload in uploads[1]:
                    upload.close()
            raise MultiPartParserError("the body is shorter than announced")
        return post, files

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


class Parser(MultiPartParser):
    def sanitize_file_name(self, file_name: str) -> str:
        """Django drops a file without a word when nothing is left of its name; a file is never lost for that."""
        return super().sanitize_file_name(file_name) or "unnamed"


class Counted:
    """A stream and how many bytes came out of it."""

    def __init__(self, stream: Readable) -> None:
        self._stream, self.total = stream, 0

    def read(self, size: int = CHUNK, /) -> bytes:
        data = self._stream.read(size)
        self.total += len(data)
        return data


def _drain(request: HttpRequest) -> None:
    """Read the refused body away: a browser shows our sentence only after it has sent everything."""
    try:
        while request.read(CHUNK):
            pass
    except OSError:
        return
