"""What the dashboard's process is told, and the link that opens its pages."""

import secrets
from pathlib import Path

import msgspec

from shoal.local.host import private_directory, private_file
from shoal.local.layout import Layout, layout_of
from shoal.local.state import RunState

NAME = "dashboard"
"""Name of its process, of its port and of its log."""

FIRST_PORT = 4300
"""The first port that is tried."""

LARGEST = 256 * 1024 * 1024
"""Bytes of one run's telemetry."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where it listens and keeps what it hears.

    Args:
        folder: Of the runs' files.
        port: Of its pages on loopback; telemetry is taken there, too, under ``/v1/``.
        system: What is watched; empty for a viewer of anything.
        key: Tells this run from others: a process that is started again goes on with its file.
        token: File of what opens the pages.
        root: Folder of the project; empty for a viewer.
        entry: ``package.module:attribute`` of the system's declaration.
        access: The gateway's access log; empty where there is none.
        routes: File of the gateway's path templates, by ``service.endpoint``.
        ports: Further ports that take telemetry over HTTP.
        grpc: Port that takes it over gRPC; 0 for none.
        largest: Bytes of a run's file.
    """

    folder: str
    port: int
    system: str = ""
    key: str = ""
    token: str = ""
    root: str = ""
    entry: str = ""
    access: str = ""
    routes: str = ""
    ports: tuple[int, ...] = ()
    grpc: int = 0
    largest: int = LARGEST


def token_file(layout: Layout) -> Path:
    """Locate what opens the pages of a project."""
    return layout.secrets / NAME


def token(file: Path) -> str:
    """Read what opens the pages, and make it when there is none."""
    try:
        found = file.read_text("utf-8").strip()
    except OSError:
        found = ""
    if not found:
        private_directory(file.parent)
        found = secrets.token_urlsafe(24)
        private_file(file, f"{found}\n")
    return found


def link(url: str, secret: str, page: str = "") -> str:
    """Write the address that opens a page."""
    return f"{url.rstrip('/')}/{page.strip('/')}?token={secret}"


def linked(state: RunState, page: str = "") -> str | None:
    """Write the address that opens a page of a run's dashboard; None where it runs none."""
    url = state.urls.get(NAME)
    return link(url, token(token_file(layout_of(Path(state.root)))), page) if url else None
