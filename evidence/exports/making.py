"""What an export holds, written as one archive: the same parts give the same bytes.

    README.txt        what is in it, with digests, Chinese and English        SHA256SUMS   the same for `sha256sum -c`
    证据目录.csv, .html    the catalogue
    报告/<number>.pdf    signed reports and their volumes, the revision that was the newest one at the order
    核验包/<number>-核验包.zip    the re-verification bundle of each report (`evidence.reports.bundle`)

Everything is copied in blocks and hashed on the way: memory holds one plan of a bundle, never a file, and bytes that are not those of
their digest go nowhere. The lease is prolonged while a block is copied, not only between files, so that no size outlives it.
"""

import hashlib
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import connection

from evidence.queues import Lost
from evidence.reports import bundle, document
from evidence.reports.models import Report
from evidence.runs.models import RunVerdict
from portal.vault import Damaged, TooLarge, Vault

from . import archive, listing
from .models import Export, ExportedReport
from .names import Names

MOMENT = (1980, 1, 1, 0, 0, 0)
"""Time of every member: the archive's own times say nothing."""
READABLE = 0o100444 << 16
BLOCK = 1 << 20
TELL_SECONDS = 1.0
OUT_OF_FORCE = {Report.State.SUPERSEDED: "-已被取代-SUPERSEDED", Report.State.REVOKED: "-已撤销-REVOKED"}
GUIDE = """\
明鉴 · 导出 / Mingjian · export
{case}

签名的报告在“报告”里，每份报告的核验包在“核验包”里，证据目录是“证据目录.csv”（表格）和“证据目录.html”（可打印）。
Signed reports are in 报告, the re-verification bundle of each report in 核验包; the catalogue of evidence is 证据目录.csv
(spreadsheet) and 证据目录.html (to be printed).

报告说明核验的结果和它的限度；证据目录里的结论是打包时最新的核验结果，不是报告。
A report states results and their limits. The verdicts in the catalogue are the newest ones when this was made; they are not a report.

核验包可以离线重做，DIGEST 是签名报告里印的核验包摘要 / A bundle repeats its results offline; DIGEST is the digest of the bundle that the
signed report prints:

    python -m evidence.verification --digest DIGEST 核验包/NUMBER-核验包.zip

证据 Exhibits: {exhibits}    报告 Reports: {reports}
{without}{withheld}
SHA-256
{digests}"""
WITHOUT = """
下列证据尚无报告，只列入目录 / No report yet, in the catalogue only:
{numbers}
"""
WITHHELD = """
核验包里只有摘要、没有文件的证据 / Exhibits of which the bundles hold digests, not files: {count}
"""


@dataclass(slots=True)
class _Progress:
    """`tell(reports, bytes, total)` answers False when the work is no longer ours.

    Each byte of a file is written twice, into its bundle and with the bundle into the archive; half of both is told, so that what is
    said to be done grows steadily up to the size of the files."""

    tell: Callable[[int, int, int], bool]
    total: int
    reports: int = 0
    before: int = 0
    bundled: int = 0
    packed: int = 0
    told: float = 0.0

    def bundle(self, done: int) -> None:
        """Bytes of files written into the bundle at work."""
        self.bundled = done
        self.beat()

    def pack(self, done: int) -> None:
        """Bytes of the bundle written into the archive: those of its files and a little more."""
        self.packed = min(done, self.bundled)
        self.beat()

    def next_report(self) -> None:
        self.reports += 1
        self.before, self.bundled, self.packed = self.before + self.bundled, 0, 0
        self.beat()

    def beat(self) -> None:
        """Told to the row once in TELL_SECONDS. Raises Lost."""
        if time.monotonic() - self.told >= TELL_SECONDS:
            if not self.tell(self.reports, self.before + (self.bundled + self.packed) // 2, self.total):
                raise Lost
            self.told = time.monotonic()


@dataclass(slots=True)
class _Archive:
    zip: zipfile.ZipFile
    names: Names = field(default_factory=Names)
    digests: dict[str, str] = field(default_factory=dict)

    def put(self, data: bytes, name: str, ending: str = "", *, folder: str = "") -> None:
        member = self.names.take(folder, name, ending)
        self.zip.writestr(_info(member), data)
        self.digests[member] = hashlib.sha256(data).hexdigest()

    def copy(self, stream: BinaryIO, name: str, ending: str, *, folder: str, advance: Callable[[int], None]) -> str:
        """The SHA-256 of what was copied."""
        member = self.names.take(folder, name, ending)
        info = _info(member)
        info.file_size = os.fstat(stream.fileno()).st_size  # decides whether the member needs the long form of ZIP64
        hashed, done = hashlib.sha256(), 0
        with self.zip.open(info, "w") as out:
            while block := stream.read(BLOCK):
                hashed.update(block)
                out.write(block)
                done += len(block)
                advance(done)
        self.digests[member] = hashed.hexdigest()
        return self.digests[member]


def make(export: Export, *, tell: Callable[[int, int, int], bool]) -> tuple[str, int]:
    """Write the archive of this attempt and give (SHA-256, size). Raises BundleFault, StoreFull, TooLarge, the vault's Missing and
    Damaged, Lost; whatever is raised, nothing is left behind."""
    part = archive.path(export.public_id, export.attempt, "part")
    spare = archive.path(export.public_id, export.attempt, "bundle.part")
    final = archive.path(export.public_id, export.attempt)
    total = files_size(export)
    if total > settings.PORTAL_EXPORT_MAX:
        raise TooLarge(settings.PORTAL_EXPORT_MAX)
    archive.demand_room(2 * total)  # a bundle lies beside the archive until it is copied into it
    try:
        with part.open("xb") as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as opened:
            progress = _Progress(tell, total)
            _write(_Archive(opened), export, spare, progress)
        size, digest = part.stat().st_size, _digest(part, progress)
        archive.publish(part, final)
    finally:
        for path in (part, spare):
            path.unlink(missing_ok=True)
    return digest, size


def files_size(export: Export) -> int:
    """Bytes of the parties' files that go along: each once for each report that speaks of it, as in the bundles."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(size), 0) FROM (
                SELECT DISTINCT er.report_id, f.sha256, f.size
                FROM exports_exportedreport er
                JOIN reports_report_verdicts rv ON rv.report_id = er.report_id
                JOIN runs_runverdict v ON v.id = rv.runverdict_id
                JOIN runs_run r ON r.id = v.run_id
                JOIN exports_exportedexhibit ee ON ee.export_id = er.export_id AND ee.exhibit_id = r.exhibit_id AND ee.content
                JOIN exhibits_exhibitfile f ON f.exhibit_id = r.exhibit_id
                WHERE er.export_id = %s
            ) parts
            """,
            [export.pk],
        )
        return int(cursor.fetchone()[0])


def _write(into: _Archive, export: Export, spare: Path, progress: _Progress) -> None:
    content = set(export.exhibits.filter(content=True).values_list("exhibit", flat=True))
    vault = Vault(settings.PORTAL_VAULT_DIR)
    rows = listing.rows(export)
    into.put(listing.as_csv(rows), "证据目录", ".csv")
    into.put(listing.as_html(export.case, rows), "证据目录", ".html")
    progress.beat()
    for one in export.reports.select_related("report", "revision").order_by("report__number"):
        report = one.report
        name = f"{report.number}{OUT_OF_FORCE.get(Report.State(report.state), '')}"
        _kept(into, vault, one.revision.sha256, name, progress)
        for volume in report.volumes.all():
            _kept(into, vault, volume.sha256, f"{report.number}-第{volume.number}卷-volume-{volume.number}", progress)
        _bundle(into, vault, one, spare, content, progress)
        with spare.open("rb") as stream:
            into.copy(stream, f"{report.number}-核验包", ".zip", folder="核验包/", advance=progress.pack)
        spare.unlink()
        progress.next_report()
    digests = "".join(f"{digest}  {name}\n" for name, digest in sorted(into.digests.items()))
    without = [row.number for row in rows if not row.reports]
    guide = GUIDE.format(
        case=export.case.number,
        exhibits=len(rows),
        reports=progress.reports,
        without=WITHOUT.format(numbers="、".join(without)) if without else "",
        withheld=WITHHELD.format(count=n) if (n := export.exhibits.filter(content=False).count()) and progress.reports else "",
        digests=digests,
    )
    # The sums of everything, the guide too; for programs, so with the line ends of Unix.
    into.put(guide.replace("\n", "\r\n").encode("utf-8-sig"), "README", ".txt")
    into.put((digests + f"{into.digests['README.txt']}  README.txt\n").encode(), "SHA256SUMS")


def _bundle(into: _Archive, vault: Vault, one: ExportedReport, spare: Path, content: set[int], progress: _Progress) -> None:
    """The annex goes into the bundle whose digest it states, so that neither is exchanged without the other; the annex of a report
    from before bundles states none, and then lies beside the report."""
    report = one.report
    verdicts = RunVerdict.objects.filter(reports=report).select_related("run__exhibit")
    plan = bundle.plan(report.number, [(document.label(v.run.exhibit).zh, v) for v in document.ordered(verdicts)])
    annex = vault.read(report.annex_sha256) if report.annex_sha256 else None
    if annex is not None:
        stated = bundle.stated(annex)
        if stated is not None and stated != plan.sha256:
            raise bundle.BundleFault(f"{report.number} states another bundle than its verdicts make")
        if stated is None:
            into.put(annex, f"{report.number}-annex", ".json", folder="报告/")
            annex = None
    with spare.open("xb") as out:
        bundle.write(
            plan,
            out,
            name=f"{report.number}-核验包.zip",
            hand_out=lambda exhibit: exhibit.pk in content,
            annex=annex,
            report=vault.read(one.revision.sha256),
            advance=progress.bundle,
        )


def _kept(into: _Archive, vault: Vault, sha256: str, name: str, progress: _Progress) -> None:
    """A PDF of the record. Raises the vault's Missing, and Damaged for other bytes."""
    with vault.open(sha256) as stream:
        found = into.copy(stream, name, ".pdf", folder="报告/", advance=lambda done: progress.beat())
    if found != sha256:
        raise Damaged(sha256, f"its bytes hash to {found}")


def _digest(part: Path, progress: _Progress) -> str:
    """Of the whole archive: only now, because the headers of its members were filled in behind their bytes."""
    hashed = hashlib.sha256()
    with part.open("rb") as stream:
        while block := stream.read(BLOCK):
            hashed.update(block)
            progress.beat()
    return hashed.hexdigest()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=MOMENT)
    info.create_system, info.external_attr = 3, READABLE
    return info
