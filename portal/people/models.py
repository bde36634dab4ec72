"""People who sign in. What they may do is never here: it is decided per case in `cases.access`."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """An account. `full_name` is the name the court knows; `court_staff` accounts are made by the court, never by sign-up."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    full_name = models.CharField(max_length=100, blank=True)
    court_staff = models.BooleanField(default=False)
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]

    def get_full_name(self) -> str:
        return self.full_name or self.username

    def get_short_name(self) -> str:
        return self.get_full_name()


class Attempt(models.Model):
    """A limit being counted at the door (`portal.people.attempts`); forgotten after `expires_at`."""

    key = models.CharField(max_length=255, primary_key=True)
    value = models.JSONField()
    expires_at = models.DateTimeField(db_index=True)
