"""``shoal new``."""

import importlib.util
import keyword
import re
import shlex
import unicodedata
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from shoal.cli.output import examples, say
from shoal.cli.program import Global
from shoal.errors import HostError
from shoal.model.artifact import Artifact
from shoal.model.names import check_label

_EXAMPLES = examples(
    "shoal new demo && cd demo && shoal run",
    "shoal new work/planner",
)
_SUFFIX = ".tmpl"
_RENAMED = {"gitignore": ".gitignore"}


@click.command("new", epilog=_EXAMPLES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", default="", help="Name of the system [default: that of DIR].")
@click.pass_obj
def command(context: Global, /, folder: Path, name: str) -> None:
    """Make a working system of two services that exchange an event, with green tests.

    DIR must be new or empty.
    """
    from shoal import files

    place = context.root / folder
    system = check_label("system", name or _label(place.resolve().name))
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise HostError(f"{folder} exists and is not empty", hint="choose another folder, or empty it")
    written = files.write(place, artifacts(system))
    for entry in written:
        click.echo(folder / entry.path)
    say(f"made {system}: {len(written)} files\n  next  cd {shlex.quote(str(folder))} && shoal run\n        pytest")


def artifacts(system: str) -> list[Artifact]:
    """Fill in the templates for a system of this name."""
    words = {"{{name}}": system, "{{package}}": package(system)}
    found = []
    for path, text in _templates(resources.files("shoal.cli") / "templates" / "project"):
        for placeholder, word in words.items():
            text = text.replace(placeholder, word)  # noqa: PLW2901 - one placeholder after the other
        place = path.replace("PACKAGE", words["{{package}}"], 1)
        found.append(Artifact(path=_RENAMED.get(place, place), text=text))
    return sorted(found, key=lambda artifact: artifact.path)


def package(system: str) -> str:
    """Name the Python package of a system; it must not hide a module that the system needs."""
    name = system.replace("-", "_")
    if keyword.iskeyword(name) or name == "tests" or importlib.util.find_spec(name) is not None:
        return f"{name}_system"
    return name


def _templates(folder: Traversable, prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _templates(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            found.append((prefix + entry.name.removesuffix(_SUFFIX), entry.read_text("utf-8")))
    return found


def _label(folder: str) -> str:
    """Make the best DNS label of a folder's name; letters lose their accents."""
    plain = unicodedata.normalize("NFKD", folder).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-").lstrip("0123456789-")[:40]
