"""``shoal dashboard``."""

import asyncio
from pathlib import Path

import click

from shoal.cli.output import examples, say
from shoal.cli.program import OK, Global

_EXAMPLES = examples(
    "shoal dashboard                              a viewer at http://127.0.0.1:4300, OTLP at 4318 and 4317",
    "shoal dashboard --folder ./telemetry         keep what is recorded here",
    "shoal dashboard --port 4400 --otlp-port 4418 --grpc-port 0",
)

_PORT, _HTTP, _GRPC = 4300, 4318, 4317


@click.command("dashboard", epilog=_EXAMPLES)
@click.option("--port", type=click.IntRange(1, 65535), default=_PORT, show_default=True, help="Port of the pages.")
@click.option(
    "--otlp-port", type=click.IntRange(0, 65535), default=_HTTP, show_default=True, help="OTLP over HTTP; 0: none."
)
@click.option(
    "--grpc-port", type=click.IntRange(0, 65535), default=_GRPC, show_default=True, help="OTLP over gRPC; 0: none."
)
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where runs are kept [default: a folder of your cache]."
)
@click.option("--name", default="", help="What the run is called in the list of runs.")
@click.pass_obj
def command(_: Global, /, port: int, otlp_port: int, grpc_port: int, folder: Path | None, name: str) -> int:
    """Show what any program sends in OpenTelemetry's protocol; no project is needed.

    Point programs to it with OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318. What they send is kept for the last ten
    runs of the viewer. `shoal run` has a dashboard of its own.
    """
    import os
    import time

    from shoal.dashboard.process import serve
    from shoal.local import dashboard
    from shoal.local.engines.dashboard import locate
    from shoal.local.host import cache_directory, private_directory
    from shoal.local.ports import LOOPBACK, check_port

    locate()
    place = (folder or cache_directory() / "viewer").absolute()
    private_directory(place)
    for option, wanted in (("--port", port), ("--otlp-port", otlp_port), ("--grpc-port", grpc_port)):
        if wanted:
            check_port(wanted, option=option)
    secret = place / "token"
    settings = dashboard.Settings(
        folder=str(place), port=port, system=name, key=f"{os.getpid()}-{time.time_ns()}", token=str(secret),
        root=str(place), ports=(otlp_port,) if otlp_port not in (0, port) else (), grpc=grpc_port,
    )  # fmt: skip
    say(f"  Dashboard  {dashboard.link(f'http://{LOOPBACK}:{port}', dashboard.token(secret))}")
    say(f"  OTLP       http://{LOOPBACK}:{otlp_port or port}" + (f", gRPC {LOOPBACK}:{grpc_port}" if grpc_port else ""))
    say(f"  kept in    {place}; Ctrl-C stops it")
    asyncio.run(serve(settings))
    return OK
