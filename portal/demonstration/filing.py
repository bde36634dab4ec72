"""Hands the demonstration's evidence in through the portal's own intake: draft, uploads with digests, one transaction."""

import hashlib
import io

from cases.access import membership_of
from cases.models import Case
from evidence.exhibits.models import Exhibit, OriginalForm
from evidence.intake import arrivals
from evidence.intake.models import Draft
from evidence.intake.receiving import receive
from evidence.verification import digests
from portal.people.models import User

from .exhibits import Filed


def file(filed: Filed, case: Case) -> Exhibit:
    """What the mini-court form does, as the person named. Raises what the form would tell the person."""
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
    return receive(draft, by=person, idempotency_key=f"demonstration-{draft.public_id}")
