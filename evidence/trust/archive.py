"""Receives the one archive of the import page, in memory and up to its bound; anywhere else the portal takes no files."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload

from . import contents


class Archive(FileUploadHandler):
    """`too_large` after the body was read: the file had more than `contents.ZIP_BYTES_MAX` and was not kept."""

    too_large = False

    def __init__(self, request: object = None) -> None:
        super().__init__(request)  # type: ignore[arg-type]
        self._pieces: list[bytes] = []
        self._size = 0
        self._taken = False

    def new_file(self, field_name: str, *args: object, **kwargs: object) -> None:
        if field_name != "pack" or self._taken:
            raise SkipFile
        self._taken = True
        super().new_file(field_name, *args, **kwargs)  # type: ignore[arg-type]

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size += len(raw_data)
        if self._size > contents.ZIP_BYTES_MAX:
            self.too_large, self._pieces = True, []
            raise StopUpload(connection_reset=False)
        self._pieces.append(raw_data)

    def file_complete(self, file_size: int) -> SimpleUploadedFile:
        return SimpleUploadedFile(self.file_name or "pack.zip", b"".join(self._pieces), self.content_type or "application/zip")
