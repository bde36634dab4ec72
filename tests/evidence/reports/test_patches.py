"""The changes to pyHanko: each looked at again when the library's own code changes, and each doing what it is for."""

import hashlib
import importlib.metadata
import inspect
import io
import subprocess
import sys

import pikepdf
import pytest

from evidence.reports import pyhanko_patches

ORIGINALS = {
    "pyhanko.pdf_utils.incremental_writer:IncrementalPdfFileWriter._update_meta": "dfb235b7343ab001c97ac543e9e14a0a52a5cd002a97b14c5fae4fd8c68a4340",
    "pyhanko.pdf_utils.reader:PdfFileReader._get_object_from_stream": "985c7933a27ed6c9cbdaafc19f0134e0a28ad9f348965b6a812ca3dbb3a599db",
}
"""Function -> SHA-256 of its source, in the release the patches were written for."""


def _source_digest(name: str) -> str:
    """Of the library as it is installed, in a process that has not patched it."""
    module, _, path = name.partition(":")
    code = f"import hashlib, inspect, {module} as m; print(hashlib.sha256(inspect.getsource(m.{path}).encode()).hexdigest())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("name", ORIGINALS)
def test_the_patched_function_is_the_one_the_patch_was_written_for(name: str) -> None:
    """When this fails: read the new source, decide whether the patch is still right, and only then change the digest."""
    assert _source_digest(name) == ORIGINALS[name]


def test_the_release_is_the_one_the_patches_were_written_for() -> None:
    assert importlib.metadata.version("pyhanko") == pyhanko_patches.WRITTEN_FOR


def test_applying_twice_changes_nothing_more() -> None:
    from pyhanko.pdf_utils.reader import PdfFileReader

    pyhanko_patches.apply()
    first = PdfFileReader._mingjian_original  # type: ignore[attr-defined]
    pyhanko_patches.apply()
    assert PdfFileReader._mingjian_original is first is not PdfFileReader._get_object_from_stream  # type: ignore[attr-defined]


def test_objects_from_streams_are_the_same_as_without_the_patch(sealed: bytes) -> None:
    from pyhanko.pdf_utils.reader import PdfFileReader

    def everything(reader: PdfFileReader) -> dict[int, str]:
        with pikepdf.open(io.BytesIO(sealed)) as pdf:
            numbers = [o.objgen[0] for o in pdf.objects if o.is_indirect]
        from pyhanko.pdf_utils.generic import Reference

        return {n: repr(Reference(n, 0, reader).get_object()) for n in numbers}

    pyhanko_patches.apply()
    patched = everything(PdfFileReader(io.BytesIO(sealed)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PdfFileReader, "_get_object_from_stream", PdfFileReader._mingjian_original)  # type: ignore[attr-defined]
        plain = everything(PdfFileReader(io.BytesIO(sealed)))
    assert patched == plain and len(plain) > 20


def test_sealing_leaves_the_metadata_as_it_was(unsigned: bytes, sealed: bytes) -> None:
    with pikepdf.open(io.BytesIO(unsigned)) as before, pikepdf.open(io.BytesIO(sealed)) as after:
        assert before.Root.Metadata.read_bytes() == after.Root.Metadata.read_bytes()
        assert {k: str(v) for k, v in before.docinfo.items()} == {k: str(v) for k, v in after.docinfo.items()}


def test_the_digest_notices_a_change() -> None:
    """The comparison itself can fail: another function has another digest."""
    other = hashlib.sha256(inspect.getsource(_source_digest).encode()).hexdigest()
    assert other not in ORIGINALS.values()
