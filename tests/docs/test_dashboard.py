"""The page about the dashboard: what it says of pages, keys and commands is so."""

import re
from pathlib import Path

import click

from shoal.cli.program import shoal
from shoal.dashboard.server.files import FOLDER

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "dashboard.md").read_text("utf-8")


def test_every_page_is_told_of() -> None:
    titles = re.findall(r'title: "(\w+)"', (FOLDER / "pages" / "table.js").read_text("utf-8"))
    assert len(titles) > 9
    assert [title for title in titles if title.lower() not in PAGE.lower()] == []


def test_every_command_is_one() -> None:
    commands = set(re.findall(r"`shoal (\w+)", PAGE))
    assert commands >= {"open", "run", "traces"}
    assert commands <= set(shoal.list_commands(click.Context(shoal)))


def test_every_button_is_there() -> None:
    source = "".join(file.read_text("utf-8") for file in FOLDER.rglob("*.js") if "vendor" not in file.parts)
    words = {" ".join(word.split()) for word in re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", PAGE)}
    assert words >= {"Copy curl", "Highlight"}
    assert {word for word in words if word not in source} == set()
