"""Where everything of a local run lies: ``.shoal/`` in the project, and a short folder for sockets."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from shoal.errors import HostError
from shoal.local.host import private_directory

_ENTERABLE = 0o711  # PostgreSQL may run as another user, who must reach its own directories


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The folders and files of one project."""

    root: Path
    """Folder of the project."""
    runtime: Path
    """Folder of sockets; short, because the paths of UNIX sockets are limited to 103 bytes."""

    @property
    def home(self) -> Path:
        """Everything that Shoal keeps in the project."""
        return self.root / ".shoal"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor of the project."""
        return self.home / "lock"

    @property
    def guard(self) -> Path:
        """Notes of the guardian."""
        return self.home / "guardian"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.home / "logs"

    @property
    def secrets(self) -> Path:
        """Passwords and keys."""
        return self.home / "secrets"

    @property
    def mesh(self) -> Path:
        """Configuration of Envoy."""
        return self.home / "mesh"

    @property
    def data(self) -> Path:
        """What engines and sandboxes keep; ``--fresh`` removes it."""
        return self.home / "data"

    @property
    def telemetry(self) -> Path:
        """What the latest runs told of themselves, one file each; ``--fresh`` keeps them."""
        return self.home / "telemetry"

    @property
    def sockets(self) -> Path:
        """Sockets of the mesh and the services."""
        return self.runtime / "s"

    @property
    def valkey_socket(self) -> Path:
        """Socket of Valkey."""
        return self.sockets / "valkey.server"

    @property
    def postgres_sockets(self) -> Path:
        """Socket of PostgreSQL, in a folder that can be given to another user."""
        return self.runtime / "pg"


def layout_of(root: Path) -> Layout:
    """Lay out the project at `root`; nothing is made."""
    place = root.resolve()
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:8]
    return Layout(root=place, runtime=Path(tempfile.gettempdir()) / f"shoal-{os.getuid()}-{digest}")


def make(layout: Layout) -> None:
    """Make the folders.

    Raises:
        HostError: They cannot be made, or the folder of sockets belongs to somebody else.
    """
    for folder in (layout.home, layout.data, layout.runtime):
        _enterable(folder)
    for folder in (layout.logs, layout.secrets, layout.mesh, layout.sockets):
        private_directory(folder)
    ignore = layout.home / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", "utf-8")


def wipe(layout: Layout) -> None:
    """Remove what engines and sandboxes keep."""
    shutil.rmtree(layout.data, ignore_errors=True)


def torn(layout: Layout) -> bool:
    """Say whether what PostgreSQL keeps was copied, or left, while it was at work."""
    return (layout.data / "postgres" / "cluster" / "postmaster.pid").exists()


def clear(layout: Layout) -> None:
    """Remove the folder of sockets; the next run makes it again."""
    shutil.rmtree(layout.runtime, ignore_errors=True)


def _enterable(folder: Path) -> None:
    private_directory(folder)
    owner = folder.lstat()
    if owner.st_uid != os.getuid() or folder.is_symlink():
        raise HostError(f"{folder} belongs to another user", hint="remove it, or set TMPDIR to a folder of your own")
    if owner.st_mode & 0o777 != _ENTERABLE:
        folder.chmod(_ENTERABLE)
