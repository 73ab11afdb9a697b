"""What somebody else wrote commands no terminal: lines of logs as they are kept, and dead letters."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from shoal.cli import graveyard
from shoal.cli.program import main
from shoal.drivers.base import Message
from shoal.local.layout import layout_of
from shoal.runtime.consuming.attempts import Try
from shoal.runtime.consuming.graves import Grave
from shoal.runtime.consuming.letters import Letter
from shoal.runtime.consuming.rehearsal import Announcement, Change, Rehearsal

TITLE = "\x1b]0;mine\x07\x9b2J\r"
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def commands(text: str) -> set[str]:
    """Return what of a text a terminal would obey."""
    assert "]0;mine" in text
    return {"\x1b", "\x07", "\x9b", "\r"} & set(text)


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_kept_line_of_a_log(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = layout_of(tmp_path).logs
    folder.mkdir(parents=True)
    line = msgspec.json.encode({"time": 1.0, "level": "info", "message": f"said {TITLE}", TITLE: 1, "error": TITLE})
    (folder / "orders-0.log").write_bytes(line + b"\n" + b"{" + TITLE.encode() + b"\n")
    with pytest.raises(SystemExit):
        main(["-C", str(tmp_path), "logs", "-o", form])
    out = capsys.readouterr().out
    assert not commands(out)
    if form == "json":
        assert json.loads(out.splitlines()[0])["message"] == f"said {TITLE}"


def test_a_dead_letter_and_its_rehearsal(capsys: pytest.CaptureFixture[str]) -> None:
    letter = Letter(
        service="orders", consumer="orders", stream="s", sequence=1, subject=f"s.{TITLE}", message=f"m{TITLE}",
        error=f"it {TITLE}", at=AT, type=f"sold{TITLE}", key=f"k{TITLE}", stack=(f"at {TITLE}",),
        history=(Try(at=AT, replica=f"0{TITLE}", error=TITLE),), headers={f"h{TITLE}": TITLE},
    )  # fmt: skip
    grave = Grave(place=1, at=AT, letter=letter, message=Message(id="1", subject="s", body=TITLE.encode()))
    found = Rehearsal(
        handler=f"note{TITLE}", where=f"x.py{TITLE}", error=f"no {TITLE}", statements=(f"select {TITLE}",),
        changes=(Change(table="notes", key=TITLE, before=None, after={f"item{TITLE}": TITLE}),),
        announced=(Announcement(type=f"sold{TITLE}", key=TITLE, data=msgspec.Raw(b'"%b"' % TITLE.encode())),),
    )  # fmt: skip
    graveyard.show_list([grave])
    graveyard.show_one(grave)
    graveyard.show_rehearsal(grave, found)
    assert not commands(capsys.readouterr().out)
