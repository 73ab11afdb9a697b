"""The files of the pages: kept in memory, packed once, named after all of their contents."""

import gzip
import hashlib
import mimetypes
import posixpath
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "static"

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
_LEAST = 512
_IMPORT = re.compile(r"""(?:^|[;}])\s*(?:import|export)\b[^;'"()]*?from\s*["'](\.[^"']+)["']""", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class File:
    """One file as it is sent."""

    type: str
    body: bytes
    etag: str

    @cached_property
    def packed(self) -> bytes:
        """The body in gzip, or nothing where that does not help."""
        return gzip.compress(self.body, 9, mtime=0) if len(self.body) >= _LEAST and "text" in self.type else b""


class Files:
    """Every file below a folder. A change is seen at the next `edition`."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._files: dict[str, File] = {}
        self._edition = ""

    def edition(self) -> str:
        """Name the present contents. It is part of their addresses, so a browser may keep what it has for ever."""
        seen = tuple(sorted(self._look()))
        if seen != self._seen:
            self._files = {name: _read(self._folder / name) for name, _, _ in seen}
            text = "".join(f"{name} {file.etag}\n" for name, file in self._files.items())
            self._edition = hashlib.sha256(text.encode()).hexdigest()[:12]
            self._seen = seen
        return self._edition

    def style(self) -> str:
        """Return all style sheets as one; what all pages share comes first."""
        names = sorted(name for name in self._files if name.startswith("styles/"))
        return "".join(self.text(name) for name in names)

    def text(self, name: str) -> str:
        """Return what a file of ours says."""
        return self._files[name].body.decode("utf-8")

    def modules(self, *begin: str) -> list[str]:
        """List these modules and all that they import before they run; what they import later is left out."""
        found: dict[str, None] = {}
        waiting = [name for name in reversed(begin) if name in self._files]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = None
                source = self._files[name].body.decode("utf-8")
                named = [posixpath.normpath(f"{name}/../{path}") for path in _IMPORT.findall(source)]
                waiting += [other for other in named if other in self._files]
        return list(found)

    def find(self, name: str) -> File | None:
        """Return the file of that name below the folder, if there is one; names are compared, nothing is opened."""
        if not self._files:
            self.edition()
        return self._files.get(name)

    def _look(self) -> list[tuple[str, int, int]]:
        found = []
        for path in self._folder.rglob("*"):
            state = path.stat()
            if path.is_file():
                found.append((path.relative_to(self._folder).as_posix(), state.st_mtime_ns, state.st_size))
        return found


def _read(path: Path) -> File:
    body = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    text = "; charset=utf-8" if kind.startswith("text/") or kind == "image/svg+xml" else ""
    return File(kind + text, body, f'"{hashlib.sha256(body).hexdigest()[:16]}"')
