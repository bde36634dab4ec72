"""Dialects of WACZ packages: marks, packages of packages, archives in Zstandard."""

from backports import zstd

from evidence.verification.reasons import Reason

from .snapshot_exhibits import FAILED, OPEN, PASSED, answer, notes, record, sha256
from .test_wacz import wacz
from .wacz_exhibits import CREATED, URL, manifest, package


def test_a_package_of_packages_is_listed_and_hashed_and_not_opened() -> None:
    inner = {"one.wacz": package(), "two.wacz": b"not even a zip"}
    verdict = wacz(package(inner, profile="multi-wacz-package", wacz_version=None))
    assert {"DIALECT:multi", "PACKAGES_NOT_OPENED:2"} <= set(notes(verdict, "WACZ.LISTED"))
    assert answer(verdict, "WACZ.HASHES") == answer(verdict, "WACZ.UNLISTED") == (PASSED, None)
    assert not any(f.check.startswith("WARC.") for f in verdict.findings)
    changed = {**inner, "two.wacz": b"not even a ziq"}
    about = manifest(inner, profile="multi-wacz-package", wacz_version=None)
    assert answer(wacz(package(changed, about=about)), "WACZ.HASHES") == (FAILED, Reason.HASH_FAILURE)


def test_packages_that_stand_elsewhere_are_missing_data_only_in_a_package_of_packages() -> None:
    there = {"one.wacz": package()}
    far = {**there, "https://example.com/far.wacz": b"far"}
    multi = manifest(far, profile="multi-wacz-package", wacz_version=None)
    assert answer(wacz(package(there, about=multi)), "WACZ.LISTED") == (OPEN, Reason.NOT_CONTAINED)
    assert answer(wacz(package(there, about=manifest(far))), "WACZ.LISTED") == (FAILED, Reason.RESOURCE_MISSING)
    beside = manifest({**far, "gone.wacz": b""}, profile="multi-wacz-package", wacz_version=None)
    assert answer(wacz(package(there, about=beside)), "WACZ.LISTED") == (FAILED, Reason.RESOURCE_MISSING)


def test_marks_of_the_dialects() -> None:
    for changes, dialect in (
        ({"profile": "wacz", "home": {"url": URL, "ts": CREATED}}, "1.2.0"),
        ({"profile": None}, "unknown"),
        ({"profile": "data-package"}, "unknown"),
        ({"profile": None, "wacz_version": "1.1.1"}, "1.1.1"),
    ):
        verdict = wacz(package(**{"wacz_version": None, **changes}))
        assert f"DIALECT:{dialect}" in notes(verdict, "WACZ.LISTED")


def test_an_archive_in_zstandard_inside_a_package() -> None:
    files = {"archive/data.warc.zst": zstd.compress(record())}
    verdict = wacz(package(files))
    assert answer(verdict, "WARC.BLOCK_DIGEST") == (PASSED, None)
    bad = wacz(package({"archive/data.warc.zst": zstd.compress(record(block_digest=sha256(b"else")))}))
    assert answer(bad, "WARC.BLOCK_DIGEST") == (FAILED, Reason.HASH_FAILURE)
