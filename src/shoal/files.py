"""The one writer of generated files: write atomically, compare, prune."""

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from shoal.errors import HostError, ShoalError
from shoal.model.artifact import Artifact

MANIFEST = ".shoal-files"
"""Lists what was written to a folder, so that `prune` never touches a file of somebody else."""

Change = Literal["added", "changed", "removed", "same"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What writing would do, or did, to one file."""

    path: str
    change: Change


def diff(root: Path, artifacts: Iterable[Artifact]) -> tuple[Entry, ...]:
    """Compare artifacts with the files below `root`; nothing is written.

    Files of an earlier `write_all` that are no longer among the artifacts count as removed.
    """
    wanted = {_checked(a.path): a.text for a in artifacts}
    entries = [Entry(path=path, change=_change(root / path, text)) for path, text in wanted.items()]
    gone = [Entry(path=path, change="removed") for path in _manifest(root) if path not in wanted]
    return tuple(sorted(entries + gone, key=lambda entry: entry.path))


def write(root: Path, artifacts: Iterable[Artifact], *, mode: int = 0o644) -> tuple[Entry, ...]:
    """Write artifacts below `root`, each in one step; leave alone what already reads so.

    Raises:
        HostError: A file cannot be written.
    """
    entries = []
    for artifact in artifacts:
        path = root / _checked(artifact.path)
        change = _change(path, artifact.text)
        if change != "same":
            _replace(path, artifact.text, mode)
        entries.append(Entry(path=artifact.path, change=change))
    return tuple(entries)


def write_all(root: Path, artifacts: Sequence[Artifact]) -> tuple[Entry, ...]:
    """Make `root` hold exactly these artifacts, and what others put there: files of an earlier call are pruned."""
    entries = diff(root, artifacts)
    write(root, artifacts)
    prune(root, keep=[a.path for a in artifacts])
    lines = "".join(f"{path}\n" for path in sorted(a.path for a in artifacts))
    write(root, [Artifact(path=MANIFEST, text=lines)])
    return entries


def prune(root: Path, *, keep: Iterable[str]) -> tuple[str, ...]:
    """Remove files of an earlier `write_all` that are not to be kept, and the folders that this empties."""
    kept = set(keep)
    stale = tuple(path for path in _manifest(root) if path not in kept)
    for path in stale:
        (root / path).unlink(missing_ok=True)
        for folder in PurePosixPath(path).parents[:-1]:
            with contextlib.suppress(OSError):  # not empty
                (root / folder).rmdir()
    return stale


def _checked(path: str) -> str:
    """Refuse a path that leads out of the folder."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise ShoalError(f"cannot write {path!r}: it leads out of its folder", hint="artifacts have relative paths")
    return str(pure)


def _change(path: Path, text: str) -> Change:
    try:
        return "same" if path.read_bytes() == text.encode() else "changed"
    except FileNotFoundError:
        return "added"
    except OSError:
        return "changed"


def _manifest(root: Path) -> tuple[str, ...]:
    try:
        return tuple(_checked(line) for line in (root / MANIFEST).read_text("utf-8").splitlines() if line)
    except OSError:
        return ()


def _replace(path: Path, text: str, mode: int) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise HostError(
            f"cannot write {path}: {error.strerror or error}",
            hint="free disk space, and check the rights of its folder",
        ) from error
