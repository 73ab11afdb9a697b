"""Another version of the code, beside the working copy: what git has of a revision, unpacked once."""

import tarfile
from pathlib import Path

from shoal.cli.git import git, resolve


def checkout(folder: Path, revision: str, home: Path) -> Path:
    """Unpack `revision` of the repository that holds `folder` below `home`, and return that folder's place in it.

    Raises:
        DeclarationError: There is no such revision.
        HostError: There is no git, or no repository.
    """
    top = Path(git(folder, "rev-parse", "--show-toplevel").strip())
    commit = resolve(top, revision)
    place = home / "versions" / commit[:12]
    if not place.is_dir():
        draft = place.with_name(f"{place.name}.tmp")
        draft.mkdir(parents=True, exist_ok=True)
        archive = draft.with_suffix(".tar")
        git(top, "archive", "--format=tar", f"--output={archive}", commit)
        with tarfile.open(archive) as packed:
            packed.extractall(draft, filter="data")
        archive.unlink()
        draft.rename(place)
    return place / folder.resolve().relative_to(top.resolve())
