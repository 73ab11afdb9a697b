"""Give up root and become another program: ``python -I -S drop.py UID GID PROGRAM ARGUMENTS...``."""

import os
import sys


def main(uid: int, gid: int, argv: list[str]) -> None:
    """Replace this process by `argv`, run as `uid` and `gid` without further groups."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    os.execv(argv[0], argv)  # noqa: S606 - an argument vector of our own


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
