"""The record of a comparison is complete in the end, and cheap on the way."""

from pathlib import Path

import pytest

from shoal.local.host import private_file
from shoal.local.parity import record
from shoal.local.parity.record import Parity, Record, read


def test_a_flood_of_copies_is_counted_without_a_write_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[str] = []

    def counted(path: Path, text: str) -> Path:
        writes.append(text)
        return private_file(path, text)

    monkeypatch.setattr(record, "private_file", counted)
    monkeypatch.setattr(record, "WRITE_EVERY", 3600.0)
    kept = Record(tmp_path / "parity.json")
    for _ in range(500):
        kept.skipped("a")
    kept.close()
    assert read(tmp_path / "parity.json") == {"a": Parity(skipped=500)}
    assert len(writes) <= 2


def test_a_disk_without_room_ends_no_comparison(tmp_path: Path) -> None:
    folder = tmp_path / "later"
    kept = Record(folder / "parity.json")
    kept.compared("a", None)
    folder.mkdir()
    kept.compared("a", None)
    kept.close()
    assert read(folder / "parity.json")["a"].compared == 2
