"""What git knows of a change: which files differ from a revision, and what they were."""

import functools
from pathlib import Path

from shoal.cli.git import git, git_bytes, resolve
from shoal.deploy.affected.change import Change
from shoal.errors import ShoalError

NOTHING = "0" * 40
"""How a pipeline names the revision before the first one of a branch."""


def changes(folder: Path, revision: str, *, contracts: str, system: str, unaffected: tuple[str, ...] = ()) -> Change:
    """Compare the working copy of a project, files that are not added yet included, with a revision.

    Args:
        folder: The project's.
        revision: What git calls a revision; zeros alone stand for none.
        contracts: Folder of contracts.
        system: Module that declares the system.
        unaffected: Patterns of files that concern no service.

    Raises:
        DeclarationError: There is no such revision.
        HostError: There is no git, or no repository.
    """
    top = Path(git(folder, "rev-parse", "--show-toplevel").strip())
    here = folder.resolve().relative_to(top.resolve()).as_posix()

    listed = functools.partial(_listed, top, here)
    files = listed("ls-files", "--cached", "--others", "--exclude-standard")
    sources = _present(folder, [path for path in files if path.endswith(".py")])
    if revision == NOTHING:
        return Change(system=system, sources=sources)
    commit = resolve(top, revision)
    differing = listed("diff", "--name-only", "--no-renames", "--no-ext-diff", commit)
    paths = tuple(sorted({*differing, *listed("ls-files", "--others", "--exclude-standard")}))
    then = {path for path in listed("ls-tree", "-r", "--name-only", commit) if "\n" not in path}  # a question is a line
    agreed = sorted(path for path in then if path.startswith(f"{contracts}/") and path.endswith(".json"))
    texts = _texts(top, f"{commit}:" if here == "." else f"{commit}:{here}/", agreed)
    before = sorted(path for path in {*paths} & then if path.endswith(".py") and not path.startswith("../"))
    return Change(
        since=commit,
        paths=paths,
        sources=sources,
        before=_texts(top, f"{commit}:" if here == "." else f"{commit}:{here}/", before),
        contracts={path.removeprefix(f"{contracts}/"): text for path, text in texts.items()},
        folder=contracts,
        system=system,
        unaffected=unaffected,
    )


def _listed(top: Path, here: str, *arguments: str) -> list[str]:
    return [_seen_from(path, here) for path in git(top, *arguments, "-z").split("\0") if path]


def _seen_from(path: str, here: str) -> str:
    """Spell a path of the repository relative to the project's folder."""
    if here == ".":
        return path
    parts, own = path.split("/"), here.split("/")
    shared = next((n for n, (a, b) in enumerate(zip(parts, own, strict=False)) if a != b), min(len(parts), len(own)))
    return "/".join([".."] * (len(own) - shared) + parts[shared:])


def _present(folder: Path, paths: list[str]) -> dict[str, str]:
    found = {}
    for path in paths:
        if not path.startswith("../"):
            try:
                found[path] = (folder / path).read_text("utf-8", errors="replace")
            except OSError:  # removed, and git does not know it yet
                continue
    return found


def _texts(top: Path, place: str, paths: list[str]) -> dict[str, str]:
    """Read files of a revision with one process; `place` is how git spells the revision and the folder in it."""
    wanted = "".join(f"{place}{path}\n" for path in paths)
    rest, found = git_bytes(top, "cat-file", "--batch", given=wanted.encode()), {}
    for path in paths:
        head, _, rest = rest.partition(b"\n")
        size = head.rpartition(b" ")[2]
        if not size.isdigit():
            raise ShoalError(f"git cannot read {place}{path}: {head.decode(errors='replace')}", hint="git fsck")
        found[path] = rest[: int(size)].decode("utf-8", errors="replace")
        rest = rest[int(size) + 1 :]
    return found
