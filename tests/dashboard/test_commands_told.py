"""Every command that a page names is one that the command line takes."""

import re
import shlex

import click
import pytest

from shoal.cli.program import shoal
from shoal.dashboard.server.files import FOLDER

SOURCE = "\n".join(file.read_text("utf-8") for file in sorted(FOLDER.rglob("*.js")) if "vendor" not in file.parts)
TOLD = sorted(set(re.findall(r"\bshoal (?:-C \$\{[\w.]+\} )?[a-z]+(?: [-\w:/${}.…]+)*", SOURCE)))


@pytest.mark.parametrize("told", TOLD)
def test_a_command_is_taken_as_it_is_told(told: str) -> None:
    words = shlex.split(re.sub(r"\$\{[^}]*\}", "x", told))[1:]
    if words[0] == "-C":
        words = words[2:]
    command: click.Command | None = shoal
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), words.pop(0))
    assert command is not None
    context = command.make_context(command.name, words)
    if command.name == "call":
        assert "." in context.params["target"], "it asks for an endpoint of a service"


def test_they_are_found() -> None:
    assert len(TOLD) > 12
    assert "shoal fault add orders:payments --abort 503" in TOLD
