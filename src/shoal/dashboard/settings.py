"""What the process of the dashboard is told."""

import msgspec


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
    ports: tuple[int, ...] = ()
    grpc: int = 0
    largest: int = 256 * 1024 * 1024
