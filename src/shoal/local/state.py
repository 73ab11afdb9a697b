"""What runs here, written by the supervisor and read by everyone else: ``.shoal/state.json``."""

import os
from pathlib import Path
from typing import Literal

import msgspec

from shoal.local.layout import layout_of
from shoal.model.target import Mesh

Status = Literal["starting", "ready", "restarting", "failed", "stopping", "stopped"]
Kind = Literal["engine", "service", "sandbox", "legacy"]


class ProcessState(msgspec.Struct, frozen=True, kw_only=True):
    """One process: an engine, a replica of a service, a sandbox, or what belongs to an old application."""

    name: str
    """Such as ``postgres``, ``orders-0`` or ``payment-provider``."""
    kind: Kind
    service: str = ""
    """Service of a replica."""
    pid: int = 0
    born: str = ""
    """Mark of the process's start, so that a recycled pid is not taken for it."""
    status: Status = "starting"
    reason: str = ""
    """Why it is not ready, for people."""
    restarts: int = 0
    address: str = ""
    ready_after: float = 0.0
    """Seconds from start to ready."""
    log: str = ""
    """Log file."""


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a system."""

    system: str
    root: str
    """Folder of the project."""
    shape: str
    mesh: Mesh = "shared"
    """Who carries calls between its services."""
    engines: tuple[str, ...] = ()
    """Engines that were chosen, as ``--engine`` takes them."""
    pid: int
    born: str = ""
    status: Status = "starting"
    started_at: str = ""
    """RFC 3339, UTC."""
    gateway: str = ""
    """Base URL of the gateway."""
    authority: str = ""
    """Certificate (PEM file) that a client of the gateway trusts; empty where it speaks plain text."""
    registry: str = ""
    """Base URL of the registry."""
    runtime: str = ""
    """Folder of sockets."""
    urls: dict[str, str] = {}
    """Base URLs of sandboxes and engines that people may read, such as the mailbox."""
    processes: tuple[ProcessState, ...] = ()
    problems: dict[str, str] = {}
    """What needs the author, such as an edit that failed, by service or process."""


def state_file(root: Path) -> Path:
    """Locate the state of the project at `root`."""
    return layout_of(root).home / "state.json"


def read_state(root: Path) -> RunState | None:
    """Read the state of the project at `root`; None when it never ran there or the file is damaged.

    A copy of a project brings the state of the original along, whose processes are not the copy's to stop.
    """
    state = _read(root)
    return None if state is None or _elsewhere(state, root) else state


def copied_from(root: Path) -> Path | None:
    """Say of which project that still exists the one at `root` is a copy that has not run yet."""
    state = _read(root)
    if state is None or not _elsewhere(state, root) or not state_file(Path(state.root)).exists():
        return None
    return Path(state.root)


def _read(root: Path) -> RunState | None:
    try:
        return msgspec.json.decode(state_file(root).read_bytes(), type=RunState)
    except (OSError, msgspec.MsgspecError):
        return None


def _elsewhere(state: RunState, root: Path) -> bool:
    return Path(state.root).resolve() != root.resolve()


def write_state(root: Path, state: RunState) -> None:
    """Replace the state in one step, so that no reader sees half of it."""
    path = state_file(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=1))
    draft.chmod(0o600)
    draft.replace(path)
