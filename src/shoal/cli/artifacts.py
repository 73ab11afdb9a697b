"""What generated files would change, or have changed, the same for every command that writes some."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoal.cli import output
from shoal.cli.output import style
from shoal.model.artifact import Artifact

if TYPE_CHECKING:
    from shoal.files import Entry


def compared(folder: Path, artifacts: Sequence[Artifact], form: str, *, quiet: bool, whole: bool) -> int:
    """Show what would change, as ``diff -u`` does or as a list, the summary last; return how many files."""
    from shoal import files

    entries = [entry for entry in files.diff(folder, artifacts) if entry.change != "same"]
    texts = {artifact.path: artifact.text for artifact in artifacts}
    if form == "json":
        output.print_json(entries)
        return len(entries)
    for entry in entries:
        if whole:
            _unified(folder, entry.path, texts.get(entry.path, ""))
        else:
            click.echo(f"{entry.change:<8} {entry.path}")
    counts = {kind: sum(entry.change == kind for entry in entries) for kind in ("added", "changed", "removed")}
    if not quiet:
        output.say(f"{counts['added']} to add, {counts['changed']} to change, {counts['removed']} to remove")
    return len(entries)


def _unified(folder: Path, path: str, wanted: str) -> None:
    import difflib

    try:
        present = (folder / path).read_text("utf-8", errors="replace")
    except OSError:
        present = ""
    before = f"a/{path}" if present else "/dev/null"
    after = f"b/{path}" if wanted else "/dev/null"
    for line in difflib.unified_diff(present.splitlines(), wanted.splitlines(), before, after, lineterm=""):
        colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
        click.echo(style(line, sys.stdout, fg=colour), color=True)


def written(entries: "Sequence[Entry]", form: str) -> None:
    """Say which files were written, the summary last."""
    changed = [entry for entry in entries if entry.change != "same"]
    if form == "json":
        output.print_json(changed)
        return
    for entry in changed:
        click.echo(f"{entry.change:<8} {entry.path}")
    output.say(f"{len(entries)} files, {len(changed)} changed")
