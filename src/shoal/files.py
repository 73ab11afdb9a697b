"""The one writer of generated files: write atomically, compare, prune."""

import contextlib
import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from shoal.errors import HostError, ShoalError
from shoal.model.artifact import Artifact

MANIFEST = ".shoal-files"
"""Lists what was written to a folder, so that `prune` never touches a file of somebody else.

The first line that begins with ``# `` says by whom, the second one with which words.
"""

_IN_THE_WAY = "a file stands where a folder has to be: name another folder"
_HINTS = {
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
    errno.EISDIR: "a folder stands where a file has to be: move it away",
    errno.EACCES: "check the rights of its folder, or name another",
    errno.EPERM: "check the rights of its folder, or name another",
    errno.EROFS: "nothing can be written there: name another folder",
    errno.ENOSPC: "free disk space",
}

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


def require_maker(root: Path, maker: str) -> None:
    """Refuse a folder that somebody else's `write_all` has filled, whose files the next one would prune.

    Raises:
        HostError: The folder is another maker's, or no folder.
    """
    if root.exists() and not root.is_dir():
        raise HostError(f"{root} is no folder, and files cannot be written into it", hint="name another: --out DIR")
    other, _ = written_by(root)
    if maker and other and other != maker:
        raise HostError(
            f"{root} holds what `{other}` wrote, which `{maker}` would remove",
            hint="name another folder: --out DIR; or remove this one, where nobody needs it any more",
        )


def require_ours(root: Path, artifacts: Iterable[Artifact]) -> None:
    """Refuse to write over files that no `write_all` has written.

    Raises:
        HostError: A file is in the way.
    """
    ours = set(_manifest(root))
    theirs = [a.path for a in artifacts if a.path not in ours and _change(root / a.path, a.text) == "changed"]
    if theirs:
        more = f" and {len(theirs) - 1} more" if theirs[1:] else ""
        raise HostError(
            f"{root / theirs[0]}{more} would be overwritten, and was not written by this command",
            hint="name another folder: --out DIR; or move away what is there",
        )


def written_by(root: Path) -> tuple[str, str]:
    """Say which command has written a folder, and with which words; both are empty where nobody has to know."""
    maker, words, *_ = [*(line[2:] for line in _lines(root) if line.startswith("# ")), "", ""]
    return maker, words


def write_all(root: Path, artifacts: Sequence[Artifact], *, maker: str = "", words: str = "") -> tuple[Entry, ...]:
    """Make `root` hold exactly these artifacts, and what others put there: files of an earlier call are pruned.

    Args:
        root: The folder.
        artifacts: What it shall hold.
        maker: The command that writes them; no other may write there. Empty where nobody has to know.
        words: What else was said to it, such as files of environments.

    Raises:
        HostError: A file cannot be written, or the folder is another maker's.
    """
    require_maker(root, maker)
    entries = diff(root, artifacts)
    write(root, artifacts)
    prune(root, keep=[a.path for a in artifacts])
    told = [f"# {line}" for line in (maker, words) if line and maker]
    lines = "".join(f"{line}\n" for line in [*told, *sorted(a.path for a in artifacts)])
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
    return tuple(_checked(line) for line in _lines(root) if line and not line.startswith("# "))


def _lines(root: Path) -> list[str]:
    try:
        return (root / MANIFEST).read_text("utf-8").splitlines()
    except OSError:
        return []


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
            hint=_HINTS.get(error.errno or 0, "free disk space, and check the rights of its folder"),
        ) from error
