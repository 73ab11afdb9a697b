"""Files of a system that was not written with Shoal: found, read, and brought together for the rules."""

import codecs
import datetime as dt
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shoal.check.confidential import concealed
from shoal.check.importing.compose import environment, included
from shoal.check.importing.interpolation import resolved
from shoal.check.importing.modelled import modelled
from shoal.check.importing.reading import BYTES, Others, documents, too_large
from shoal.check.importing.table import KINDS, facts, form_of
from shoal.check.importing.tree import Document
from shoal.check.rules.system_unreadable import RULE as UNREADABLE
from shoal.check.subject import Subject
from shoal.errors import DeclarationError
from shoal.model.finding import Finding as Told

WORDS = ("services", "include", "apiVersion", "openapi", "swagger", "asyncapi")
"""Of which a file says at least one that is of a kind; others of a folder need not be parsed."""

TOP = re.compile(
    r"^(?:services|include|apiVersion|openapi|swagger|asyncapi)[ \t]*:"
    r"|[\"'](?:services|apiVersion|openapi|swagger|asyncapi)[\"']\s*:",
    re.MULTILINE,
)
"""What a file says that is meant to be of a kind, even where it cannot be parsed."""

ENDINGS = frozenset({".yaml", ".yml", ".json"})
"""How the names of files end that are looked at in a folder."""

PASSED_OVER = frozenset({"node_modules", "site-packages", "vendor", "testdata"})
"""Folders that hold the files of others; what begins with a dot is passed over, too."""

BESIDE = 2**20
"""Most bytes of a file that another one names, such as ``.env``."""

CHART = "Chart.yaml"

ELSEWHERE = re.compile(r"[a-z][a-z+]*:|git@|github\.com/")
"""How the name of an included file begins that is kept on another machine (Compose, "include")."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Imported:
    """What was read.

    Attributes:
        subject: What is known of the system.
        told: What is wrong with its files.
        passed: Files of folders that were looked at and say nothing of a kind that is read, or are one of several; and
            included ones that are on another machine, or whose name is not known.
    """

    subject: Subject
    told: tuple[Told, ...]
    passed: tuple[str, ...]


def gather(root: Path, paths: Sequence[str], progress: Callable[[str], None] = lambda _: None) -> Imported:
    """Read what files tell of a system.

    Args:
        root: Folder from which places are told.
        paths: Files and folders, from there.
        progress: Hears which file is read next.

    Raises:
        DeclarationError: One of them is not there, or none of them describes a system.
        HostError: The library that reads YAML is not installed.
    """
    reading = _Reading(root, progress)
    for path in paths:
        reading.take(path)
    found = facts(reading.documents, reading.beside)
    if not found.forms and not reading.told:
        raise DeclarationError(
            f"nothing in {', '.join(paths)} describes a system",
            hint=f"name files of {KINDS}",
        )
    first = (root / paths[0]).resolve()
    name = next((text for d in reading.documents if (text := d.root.at("name").text)), "")
    subject = Subject(
        system=modelled(found, name or (first if first.is_dir() else first.parent).name),
        entry="",
        now=dt.datetime.now(dt.UTC),
        files={**reading.texts, **reading.named},
        imported=found,
    )
    return Imported(subject=subject, told=tuple(reading.told), passed=tuple(reading.passed))


class _Reading:
    """Goes through files and folders, once each."""

    def __init__(self, root: Path, progress: Callable[[str], None]) -> None:
        self._root, self._progress = root, progress
        self._near = [root.resolve()]
        self.documents: list[Document] = []
        self.texts: dict[str, str] = {}
        self.named: dict[str, str] = {}
        """Those that others name, in which something may be found, too."""
        self.told: list[Told] = []
        self.passed: list[str] = []

    def take(self, path: str) -> None:
        """Read a file, or the files below a folder."""
        if path == "-":
            raise DeclarationError("files are read by name, not from the standard input", hint="name the files")
        file = self._root / path
        self._near.append((file if file.is_dir() else file.parent).resolve())
        if path and file.is_dir():
            for one, variant in _below(file):
                if variant:
                    self.passed.append(self._shown(one))
                elif one.name == CHART:
                    self._chart(one)
                else:
                    self._file(one, named=False)
        elif file.is_file():
            self._file(file, named=True)
        else:
            raise DeclarationError(f"there is no file or folder {path!r}", hint="paths are told from -C, the folder")

    def beside(self, path: str) -> str | None:
        """Return the text of a file that another one names, below the folder or what is given only."""
        file = Path(os.path.normpath(self._root / path))
        try:
            near = any(file.resolve().is_relative_to(folder) for folder in self._near)
            if not near or not file.is_file() or file.stat().st_size > BESIDE:
                return None
            text = _decoded(file.read_bytes())
        except (OSError, ValueError):  # the second: what no file can be called
            return None
        if file.suffix in ENDINGS:
            self.named[path] = text
        return text

    def _file(self, file: Path, *, named: bool) -> None:
        shown = self._shown(file)
        if shown in self.texts:
            return
        self._progress(f"reading {shown}")
        text = ""
        try:
            text = _text(file, shown)
            known = named or any(word in text for word in WORDS)
            found = list(documents(shown, text)) if known else []
        except OSError as error:
            self._wrong(f"cannot be read: {error.strerror}", "let it be read", shown)
            return
        except DeclarationError as error:
            self._refused(shown, text, error, meant=named or bool(TOP.search(text)))
            return
        if not any(form_of(document.root) for document in found):
            what = f"this describes no system: it is no file of {KINDS}"
            unknown = DeclarationError(what, hint="name another file", where=f"{shown}:1")
            self._refused(shown, text, unknown, meant=named)
            return
        self.texts[shown] = text
        self.documents += found
        for document in found:
            if form_of(document.root) == "compose":
                self._included(document)

    def _refused(self, shown: str, text: str, error: DeclarationError, *, meant: bool) -> None:
        """Say what is wrong with a file that is meant to tell of a system; pass over any other one."""
        if meant:
            self.texts[shown] = concealed(text)
            self._wrong(error.message, error.hint, error.where)
        else:
            self.passed.append(shown)

    def _included(self, document: Document) -> None:
        """Read the files that a file of Compose includes; one that is not there is as wrong as one that is broken."""
        folder = posixpath.dirname(document.path)
        known = environment(folder, Others(self.beside))
        for path in included(document.root):
            name = resolved(path.text, known)
            other = self._root / posixpath.normpath(posixpath.join(folder, name.text))
            if other.is_file():
                self._file(other, named=True)
            elif not name.known or ELSEWHERE.match(name.text):
                self.passed.append(name.text)
            else:
                self._wrong(f"there is no file {name.text}, which is included", "correct the path", str(path.where))

    def _chart(self, chart: Path) -> None:
        hint = f"check what comes of it: helm template NAME {self._shown(chart.parent)} > rendered.yaml"
        found = Told(
            code=UNREADABLE.code,
            severity="warning",
            message="this is a chart of Helm, and what its templates will say is not known",
            where=self._shown(chart) + ":1",
            help=hint,
        )
        self.told.append(found)

    def _wrong(self, message: str, hint: str, where: str) -> None:
        self.told.append(Told(code=UNREADABLE.code, severity="error", message=message, where=where, help=hint))

    def _shown(self, file: Path) -> str:
        return file.relative_to(self._root).as_posix() if file.is_relative_to(self._root) else file.as_posix()


def _below(folder: Path) -> Iterator[tuple[Path, bool]]:
    """List the files of a folder that may be of a kind, sorted, and whether each is a variant of another one.

    Of a chart of Helm only what says that it is one is listed.
    """
    for here, folders, files in os.walk(folder):
        if CHART in files:
            folders.clear()
            yield Path(here, CHART), False
            continue
        folders[:] = sorted(name for name in folders if name not in PASSED_OVER and not name.startswith("."))
        own = sorted(name for name in files if Path(name).suffix in ENDINGS and not name.startswith("."))
        for file in (Path(here, name) for name in own):
            if file.is_file() or not file.exists():
                yield file, _other(file.name, own)


def _text(file: Path, shown: str) -> str:
    """Read a file; one that is larger than anything that is parsed is not even read."""
    size = file.stat().st_size
    if size > BYTES:
        raise too_large(shown, size)
    return _decoded(file.read_bytes())


def _decoded(data: bytes) -> str:
    """Read UTF-8, or UTF-16 where its first bytes say so, as shells of Windows write it; nothing is refused."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig", errors="replace")


def _other(name: str, beside: Sequence[str]) -> bool:
    """Tell whether a file is a variant of a file of Compose that is beside it, of which only one is run."""
    stem = name.rpartition(".")[0]
    usual = [one for one in ("compose", "docker-compose") if {f"{one}.yml", f"{one}.yaml"} & {*beside}]
    return any(stem.startswith((f"{one}.", f"{one}-")) and stem != f"{one}.override" for one in usual)
