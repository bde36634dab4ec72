"""What a test commits is gone when it ends, and the guards of the record stand again."""

import pytest
from django.db import DatabaseError, connection

from tests import courtroom
from tests.conftest import KEPT, emptied


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_and_every_guard_stands(settings: pytest.FixtureRequest, tmp_path: object) -> None:
    """To see it fail: keep one more table, or leave out ENABLE TRIGGER."""
    settings.PORTAL_VAULT_DIR = tmp_path / "vault"  # type: ignore[attr-defined, operator]
    courtroom.cast()
    emptied()
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names()) - KEPT:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE tgenabled = 'O') FROM pg_trigger WHERE NOT tgisinternal")
        found, standing = cursor.fetchone()
        assert found == standing > 100
    courtroom.cast()
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("DELETE FROM exhibits_exhibit")
