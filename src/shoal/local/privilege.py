"""Run a program that refuses to be root, as PostgreSQL does, although we are root.

First choice is a user namespace in which root appears as uid 1000: no user is needed and files stay ours.
Where namespaces are forbidden, as in most containers, the program becomes ``nobody``.
"""

import os
import pwd
import sys
from dataclasses import dataclass
from pathlib import Path

from shoal.errors import HostError
from shoal.local import drop
from shoal.local.process import Command, base_environment, run

_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
_FALLBACK_USER = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Privilege:
    """How to start a program unprivileged.

    Args:
        prefix: Goes in front of its arguments.
        owner: uid and gid that must own its files; None when they are ours.
    """

    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None

    def give(self, *paths: Path) -> None:
        """Make the owner own these files and directories."""
        for path in paths if self.owner else ():
            os.chown(path, *(self.owner or (-1, -1)))


ORDINARY = Privilege()


async def unprivileged(program: Path, *directories: Path) -> Privilege:
    """Find a way to run `program` without being root, so that it can work in `directories`.

    Raises:
        HostError: We are root and there is no way.
    """
    if os.geteuid() != 0:
        return ORDINARY
    return await namespace(program) or await nobody(program, *directories)


async def namespace(program: Path) -> Privilege | None:
    """Return the way through a user namespace; None when the kernel or a container forbids it."""
    try:
        works = await _works(_NAMESPACE, program)
    except HostError:  # no `unshare` on this machine
        return None
    return Privilege(prefix=_NAMESPACE) if works else None


async def nobody(program: Path, *directories: Path) -> Privilege:
    """Return the way of becoming ``nobody``.

    Raises:
        HostError: There is no such user, or it cannot reach the program or the directories.
    """
    try:
        user = pwd.getpwnam(_FALLBACK_USER)
    except KeyError:
        raise _impossible(program, f"there is no user {_FALLBACK_USER}") from None
    for directory in directories:
        for place in directory.absolute().parents:
            if place.exists() and not place.stat().st_mode & 0o001:
                raise _impossible(program, f"{_FALLBACK_USER} cannot enter {place}")
    prefix = (sys.executable, "-I", "-S", drop.__file__, str(user.pw_uid), str(user.pw_gid))
    if not await _works(prefix, program):
        raise _impossible(program, f"{_FALLBACK_USER} cannot run {program}")
    return Privilege(prefix=prefix, owner=(user.pw_uid, user.pw_gid))


async def _works(prefix: tuple[str, ...], program: Path) -> bool:
    command = Command(
        name=program.name, argv=(*prefix, str(program), "--version"), cwd=Path("/"), env=base_environment()
    )
    return (await run(command, within=10)).code == 0


def _impossible(program: Path, reason: str) -> HostError:
    return HostError(
        f"{program.name} refuses to run as root, and {reason}",
        hint="run as an ordinary user, allow user namespaces (`unshare --user true` must work), "
        "or keep the project and the Python environment where every user can read",
    )
