"""Hands the demonstration's evidence in through the portal's own intake: draft, uploads with digests, one transaction.

What is handed in lies first in a folder each, as a party would hold it: for the offline command, and so that a start that was
interrupted goes on where it stopped.

    evidence/1/answers.json   the answers of the form
    evidence/1/files/…        the files
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from cases.access import membership_of
from cases.models import Case
from evidence.exhibits.models import Exhibit, OriginalForm
from evidence.intake import arrivals
from evidence.intake.models import Draft
from evidence.intake.receiving import receive
from evidence.verification import digests
from portal.people.models import User

from .exhibits import Filed

ANSWERS = ("username", "name", "category", "origin", "purpose", "prechain")


def keep(folder: Path, filed: Iterable[Filed]) -> None:
    """Lay the evidence out in `folder`, which must not exist yet."""
    new = folder.with_name(folder.name + ".new")
    for number, one in enumerate(filed, start=1):
        files = new / str(number) / "files"
        files.mkdir(parents=True)
        (new / str(number) / "answers.json").write_text(
            json.dumps({key: getattr(one, key) for key in ANSWERS}, ensure_ascii=False, indent=1), encoding="utf-8"
        )
        for name, data in one.files.items():
            (files / name).write_bytes(data)
    new.rename(folder)


def kept(folder: Path) -> Iterator[tuple[str, Filed]]:
    """(number, what to file) as `keep` laid it out."""
    for place in sorted(folder.iterdir(), key=lambda p: int(p.name)):
        answers = json.loads((place / "answers.json").read_bytes())
        files = {p.name: p.read_bytes() for p in sorted((place / "files").iterdir())}
        yield place.name, Filed(files=files, **answers)


def file(filed: Filed, case: Case, *, key: str) -> Exhibit:
    """What the mini-court form does, as the person named. Filing the same `key` again changes nothing.

    Raises what the form would tell the person.
    """
    earlier = Draft.objects.filter(idempotency_key=key, exhibit__isnull=False).select_related("exhibit").first()
    if earlier is not None and earlier.exhibit is not None:
        return earlier.exhibit
    person = User.objects.get(username=filed.username)
    membership = membership_of(person, case)
    if membership is None:
        raise LookupError(f"{filed.username} has no membership in {case.number}")
    draft = Draft.objects.create(
        user=person,
        case=case,
        answers={
            "who": {"membership": str(membership.pk)},
            "what": {
                "name": filed.name,
                "category": filed.category,
                "original_form": OriginalForm.NATIVE,
                "origin": filed.origin,
            },
            "prechain": dict(filed.prechain),
            "purpose": {"purpose": filed.purpose},
        },
    )
    for name, data in filed.files.items():
        upload, _ = arrivals.begin(draft, name=name, size=len(data))
        arrivals.append(upload, io.BytesIO(data), at=0)
        upload.refresh_from_db()
        arrivals.finish(
            upload, sha256=hashlib.sha256(data).hexdigest(), sm3=digests.digest("SM3", data).hex()
        )
    return receive(draft, by=person, idempotency_key=key)
