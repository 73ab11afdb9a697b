"""Asks git, by lists of arguments and never by a line for a shell."""

import subprocess
from pathlib import Path

from shoal.errors import DeclarationError, HostError

PATIENCE = 60.0
"""Seconds that an answer may take."""


def git(folder: Path, *arguments: str) -> str:
    """Return what git prints, or raise `HostError` with what it complains about."""
    return git_bytes(folder, *arguments).decode("utf-8", errors="replace")


def git_bytes(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """Return the bytes that git prints when it is given some, or raise `HostError`."""
    done = _run(folder, arguments, given)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise HostError(f"git {arguments[0]} has failed in {folder}: {said}", hint="is it a repository? git status")
    return done.stdout


def resolve(folder: Path, revision: str) -> str:
    """Return the commit that a revision means, in full.

    Raises:
        DeclarationError: There is no such revision.
        HostError: There is no git.
    """
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    done = _run(folder, asked, b"")
    if done.returncode:
        hint = "git log --oneline; a pipeline fetches the history only when it is told to: fetch-depth: 0"
        raise DeclarationError(f"git knows no revision {revision!r}", hint=hint)
    return done.stdout.decode().strip()


def _run(folder: Path, arguments: tuple[str, ...], given: bytes) -> "subprocess.CompletedProcess[bytes]":
    command = ("git", "-C", str(folder), *arguments)
    try:
        return subprocess.run(  # noqa: S603 - a list, and a revision cannot be an option
            command, input=given, capture_output=True, timeout=PATIENCE, check=False
        )
    except OSError as error:
        raise HostError(f"cannot run git: {error.strerror}", hint="install git") from error
    except subprocess.TimeoutExpired as error:
        raise HostError(
            f"git {arguments[0]} took longer than {PATIENCE:g} s", hint="is the disk of another machine? try again"
        ) from error
