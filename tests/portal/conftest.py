"""What tests of the front desk share."""

from pathlib import Path

import pytest

from portal.ledger.acts import ACTS, Act


@pytest.fixture
def own_book(ledger_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A book of its own, with an act that exists in tests only."""
    monkeypatch.setitem(ACTS, "test.note", Act("test.note", "记录 {n}", "Note {n}", ("n",)))  # type: ignore[arg-type]
    return ledger_dir
