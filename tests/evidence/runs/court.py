"""A case with one exhibit, as small as the queue needs it."""

import uuid

from cases.models import Case, Membership, Party, Role, Side
from evidence.exhibits.models import Category, Exhibit, ExhibitFile, OriginalForm
from portal.people.models import User
from portal.vault import Vault


def person(name: str, **fields: object) -> User:
    return User.objects.create_user(username=name, full_name=name, **fields)


def case(sequence: int = 1) -> Case:
    return Case.objects.create(
        number=f"（2026）川01民初{sequence}号", year=2026, court_code="川01", case_type="民初", sequence=sequence
    )


def exhibit(of: Case, by: User, vault: Vault, files: dict[str, bytes]) -> Exhibit:
    party, _ = Party.objects.get_or_create(case=of, side=Side.PLAINTIFF, position=1, defaults={"name": "甲"})
    Membership.objects.get_or_create(
        case=of, user=by, role=Role.LITIGANT, side=Side.PLAINTIFF, defaults={"party": party}
    )
    made = Exhibit.objects.create(
        case=of,
        number=Exhibit.objects.filter(case=of).count() + 1,
        side=Side.PLAINTIFF,
        party=party,
        name="exhibit",
        category=Category.FILE,
        original_form=OriginalForm.NATIVE,
        purpose="-",
        receipt_number=uuid.uuid4().hex[:30],
        submitted_by=by,
    )
    for position, (name, data) in enumerate(files.items(), start=1):
        stored = vault.put_bytes(data)
        ExhibitFile.objects.create(
            exhibit=made,
            position=position,
            name=name,
            size=stored.size,
            sha256=stored.sha256,
            sm3=stored.sm3,
            detected_type="application/octet-stream",
        )
    return made
