"""What is said alike in every command is spelt alike."""

import importlib
from collections.abc import Iterator

import click
import pytest

from shoal.cli.program import COMMANDS


def commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        command = importlib.import_module(f"shoal.cli.commands.{name}").command
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", found) for inner, found in command.commands.items())


EVERY = dict(commands())


def options(command: click.Command) -> set[str]:
    return {spelling for parameter in command.params for spelling in parameter.opts if spelling.startswith("-")}


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_a_summary_and_examples_of_itself(name: str) -> None:
    command = EVERY[name]
    assert (command.help or "").strip()
    lines = (command.epilog or "").splitlines()
    assert lines[1:2] == ["Examples:"]
    assert [line for line in lines[2:] if f"shoal {name}" not in line and "shoal token" not in line] == []


@pytest.mark.parametrize("name", EVERY)
def test_what_prints_data_prints_it_for_programs_too(name: str) -> None:
    assert len(options(EVERY[name]) & {"--output", "--json"}) in (0, 2)


OF_NO_SERVICE = ("fault list", "keys list", "runs list")
"""Faults lie between services, keys belong to consumers, and a run is of all services."""


@pytest.mark.parametrize("name", [name for name in EVERY if name.endswith(" list") and name not in OF_NO_SERVICE])
def test_every_list_can_be_narrowed_to_a_service(name: str) -> None:
    assert options(EVERY[name]) >= {"--service", "--json"}
    assert [p.name for p in EVERY[name].params if isinstance(p, click.Argument)] == []
