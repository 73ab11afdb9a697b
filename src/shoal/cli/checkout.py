"""Another version of the code, beside the working copy: what git has of a revision, unpacked once."""

import subprocess
import tarfile
from pathlib import Path

from shoal.errors import DeclarationError, HostError


def checkout(folder: Path, revision: str, home: Path) -> Path:
    """Unpack `revision` of the repository that holds `folder` below `home`, and return that folder's place in it.

    Raises:
        DeclarationError: There is no such revision.
        HostError: There is no git, or no repository.
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel").strip())
    commit = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
    place = home / "versions" / commit[:12]
    if not place.is_dir():
        draft = place.with_name(f"{place.name}.tmp")
        draft.mkdir(parents=True, exist_ok=True)
        archive = draft.with_suffix(".tar")
        _git(top, "archive", "--format=tar", f"--output={archive}", commit)
        with tarfile.open(archive) as packed:
            packed.extractall(draft, filter="data")
        archive.unlink()
        draft.rename(place)
    return place / folder.resolve().relative_to(top.resolve())


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a list, and the revision cannot be an option
            ("git", "-C", str(folder), *arguments),  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except OSError as error:
        raise HostError(f"cannot run git: {error.strerror}", hint="install git, or use --code FOLDER") from error
    if done.returncode and arguments[:2] == ("rev-parse", "--verify"):
        raise DeclarationError(
            f"git knows no revision {arguments[-1].removesuffix('^{commit}')!r}", hint="git log --oneline"
        )
    if done.returncode:
        raise HostError(f"git {arguments[0]} has failed: {done.stderr.strip()}", hint="use --code FOLDER")
    return done.stdout
