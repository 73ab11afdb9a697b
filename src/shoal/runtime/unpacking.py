"""``python -m shoal.runtime.unpacking FOLDER NAME=VARIABLE ...``: write variables as files, and end.

Where a platform hands out secrets as variables only, this runs before the service, in a container of its own, and
writes what the service reads as files. It opens the folder for scratch files too: volumes may belong to root there.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from shoal.errors import SettingsError, ShoalError

SCRATCH = Path("/tmp")  # noqa: S108 - where every program looks for it
_ANYONE = 0o1777
_READABLE = 0o444
"""Of one task's own volume, which no other task sees."""


def unpack(folder: Path, files: Sequence[str], environ: Mapping[str, str]) -> None:
    """Write each ``NAME=VARIABLE`` below a folder.

    Raises:
        SettingsError: One names no file of the folder, or a variable that is not set.
        OSError: A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        name, _, variable = file.partition("=")
        if not name or name in (".", "..") or "/" in name or variable not in environ:
            raise SettingsError(f"{file!r} names no file and its variable", hint="write NAME=VARIABLE, and set it")
        path = folder / name
        path.unlink(missing_ok=True)
        path.write_text(environ[variable], "utf-8")
        path.chmod(_READABLE)


if __name__ == "__main__":
    try:
        unpack(Path(sys.argv[1]), sys.argv[2:], os.environ)
        SCRATCH.chmod(_ANYONE)
    except (ShoalError, OSError, IndexError) as problem:
        sys.exit(f"error: {problem}")
