"""Addresses of safe views: each is good for one look of one person, within minutes. The row is the record that it was issued and
used; the database refuses to take one away or to make a used one new (migration 0001)."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from evidence.exhibits.models import Exhibit


class Address(models.Model):
    """Nobody reads these rows but the evidence host: whoever sees the exhibit's content may issue one."""

    nonce_sha256 = models.CharField(max_length=64, unique=True)
    """The address itself is kept nowhere."""
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    """Of the capture in the file."""
    blob_sha256 = models.CharField(max_length=64)
    issued_at = models.DateTimeField(db_default=Now(), editable=False)
    used_at = models.DateTimeField(null=True)
