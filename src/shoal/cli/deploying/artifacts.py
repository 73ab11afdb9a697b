"""What generated files would change, or have changed, the same for every command that writes some."""

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from shoal.cli import output
from shoal.cli.output import style
from shoal.model.artifact import Artifact

if TYPE_CHECKING:
    from shoal.files import Entry

_ELSEWHERE = frozenset({"out", "show", "check", "output", "as_json"})
"""Options that say where and how a command writes."""

_SIGNS = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}


def compared(folder: Path, artifacts: Sequence[Artifact], form: str, *, maker: str, quiet: bool, whole: bool) -> int:
    """Show what would change, with the lines that change or as a list, the summary last; return how many files.

    Raises:
        HostError: The folder is another command's.
    """
    from shoal import files

    files.require_maker(folder, maker)
    entries = [entry for entry in files.diff(folder, artifacts) if entry.change != "same"]
    texts = {artifact.path: artifact.text for artifact in artifacts}
    if form == "json":
        output.print_json(entries)
        return len(entries)
    for entry in entries:
        if whole:
            _planned(folder, entry, texts.get(entry.path, ""))
        else:
            click.echo(f"{entry.change:<8} {entry.path}")
    counts = {kind: sum(entry.change == kind for entry in entries) for kind in ("added", "changed", "removed")}
    if not quiet:
        output.say(f"{counts['added']} to add, {counts['changed']} to change, {counts['removed']} to remove")
    return len(entries)


def _planned(folder: Path, entry: "Entry", wanted: str) -> None:
    """Show one file: its objects where all of it comes or goes, else the lines that change."""
    import difflib

    sign, colour = _SIGNS[entry.change]
    click.echo(style(f"{sign} {entry.path}", sys.stdout, fg=colour, bold=True), color=True)
    present = "" if entry.change == "added" else _present(folder / entry.path)
    if entry.change != "changed":
        for name in _objects(wanted or present):
            click.echo(style(f"    {sign} {name}", sys.stdout, fg=colour), color=True)
        return
    for line in [*difflib.unified_diff(present.splitlines(), wanted.splitlines(), n=1, lineterm="")][2:]:
        shown = "..." if line.startswith("@@") else line.rstrip()
        tint = {"+": "green", "-": "red"}.get(line[:1], "bright_black")
        click.echo(style(f"    {shown}".rstrip(), sys.stdout, fg=tint), color=True)


def _present(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _objects(text: str) -> list[str]:
    """Name the objects of Kubernetes in a file, as far as it has some."""
    found = []
    for document in text.split("---\n"):
        kind = re.search(r"^kind: (\S+)$", document, re.MULTILINE)
        name = re.search(r"^metadata:\n  name: (\S+)$", document, re.MULTILINE)
        found += [f"{kind[1]} {name[1]}"] if kind and name else []
    return found


def write(folder: Path, artifacts: Sequence[Artifact], form: str, *, maker: str, quiet: bool) -> None:
    """Write files for which a person has named the folder, and say which, the summary last.

    Raises:
        HostError: The folder is another command's, or holds files of somebody else where these have to be.
    """
    from shoal import files

    files.require_maker(folder, maker)  # first, since it says more
    files.require_ours(folder, artifacts)
    written(files.write_all(folder, artifacts, maker=maker, words=words()), form, quiet=quiet)


def words() -> str:
    """Spell what was said to the command that runs, but for where and how it writes: the same words write the same."""
    context = click.get_current_context()
    found: list[str] = []
    for option in (one for one in context.command.params if isinstance(one, click.Option) and one.name):
        said = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        if said and option.name not in _ELSEWHERE:
            found += _spelt(option, context.params[str(option.name)], context)
    return shlex.join(found)


def _spelt(option: click.Option, value: Any, context: click.Context) -> list[str]:
    if option.is_flag:
        return [option.opts[0] if value else option.secondary_opts[0]]
    root: Path = context.obj.root
    every = [Path(one) if isinstance(one, Path) else one for one in (value if option.multiple else [value])]
    inside = [one.relative_to(root) if isinstance(one, Path) and one.is_relative_to(root) else one for one in every]
    return [word for one in inside for word in (option.opts[0], one.as_posix() if isinstance(one, Path) else str(one))]


def written(entries: "Sequence[Entry]", form: str, *, quiet: bool = False) -> None:
    """Say which files were written, the summary last."""
    changed = [entry for entry in entries if entry.change != "same"]
    if form == "json":
        output.print_json(changed)
        return
    for entry in changed:
        click.echo(f"{entry.change:<8} {entry.path}")
    if not quiet:
        output.say(f"{len(entries)} files, {len(changed)} changed")
