"""One process: a single service behind its proxy, or several that are their own gateway."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import uvloop

from shoal import failpoints
from shoal.errors import SettingsError
from shoal.model.plan import plan
from shoal.model.target import ONE_PROCESS
from shoal.runtime.clients import LocalTransport, Transport
from shoal.runtime.config import PROCESS, ProcessConfig, ServiceConfig
from shoal.runtime.forwarded import forwarded, unvouched
from shoal.runtime.gateway import Gateway
from shoal.runtime.host import Fittings, Host
from shoal.runtime.joining import join
from shoal.runtime.load import load
from shoal.runtime.logs import Journal, configure
from shoal.runtime.metrics.process import watching
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.metrics.vitals import Vitals
from shoal.runtime.request import Application
from shoal.runtime.server import serve
from shoal.runtime.telling import Telemetry
from shoal.service.declare import Service
from shoal.service.describe import describe
from shoal.service.system import System

if TYPE_CHECKING:
    from shoal.runtime.mesh import Caller

_log = logging.getLogger("shoal.process")


def main(environ: Mapping[str, str]) -> None:
    """Run what the environment names until told to stop; raises `ShoalError` when it cannot start."""
    failpoints.arm_from(environ)
    several = environ.get(PROCESS)
    uvloop.run(run_several(_read(Path(several))) if several else run_one(ServiceConfig.from_environ(environ)))


async def run_one(config: ServiceConfig) -> None:
    """Run one service on its socket."""
    join(config.environ, os.environ)
    service = load(config.entry, Service)
    journal = configure(service.name, config.replica, config.version)
    telemetry = Telemetry(config.environ)
    recorder = journal.recorder = telemetry.recorder(service.name, config)
    access = journal if config.access_log else None
    host = Host(service, config, Fittings(transport=transport_of(config), journal=access, recorder=recorder))
    async with telemetry:
        await _serve_one(host, journal, telemetry)


def _believed(host: Host) -> Application:
    """Give a service only those headers about its callers that somebody of ours says."""
    config = host.config
    asked = forwarded(host, config.forwarded) if config.forwarded else host
    return asked if config.vouched else unvouched(asked)


async def _serve_one(host: Host, journal: Journal, telemetry: Telemetry) -> None:
    config, service = host.config, host.service
    await host.start()
    try:
        async with watching(host.metrics), telemetry.sending([(host.vitals, host.recorder)]):
            await serve(
                _believed(host),
                config.listen,
                drain=config.drain,
                started=_announce(service.name),
                leaving=host.leave,
                message=host.message,
            )
    finally:
        await host.stop()
        journal.flush()


async def run_several(process: ProcessConfig) -> None:
    """Run several services in this process; calls between them stay in it."""
    join(_first(process), os.environ)
    system = load(process.system, System)
    transport = LocalTransport()
    configure(system.name, "0")
    telemetry = Telemetry(_first(process))
    hosts = {}
    for environ in process.services:
        config = ServiceConfig.from_environ(environ)
        service = load(config.entry, Service)
        access = Journal(service.name, config.replica, config.version) if config.access_log else None
        recorder = telemetry.recorder(service.name, config)
        hosts[service.name] = Host(service, config, Fittings(transport=transport, journal=access, recorder=recorder))
    async with telemetry:
        await _start_several(hosts, transport)
        await _serve_several(system, process, hosts, telemetry)


async def _start_several(hosts: Mapping[str, Host], transport: LocalTransport) -> None:
    async def start(name: str, host: Host) -> None:
        await host.start()
        transport.applications[name] = host  # before, whoever calls it finds it absent, and tries again

    await asyncio.gather(*(start(name, host) for name, host in hosts.items()))


async def _serve_several(
    system: System, process: ProcessConfig, hosts: Mapping[str, Host], telemetry: Telemetry
) -> None:
    gateway = Gateway(plan(describe(system), ONE_PROCESS), hosts)

    def leave() -> None:
        for host in hosts.values():
            host.leave()

    try:
        metrics = Metrics()
        own = Vitals(metrics, None, None, None), telemetry.recorder(system.name, _nobodys(hosts))
        services = [own, *((host.vitals, host.recorder) for host in hosts.values())]
        async with watching(metrics), telemetry.sending(services):
            await serve(
                gateway,
                process.listen,
                drain=10.0,
                started=_announce(system.name),
                leaving=leave,
                message=max(host.message for host in hosts.values()),
            )
    finally:
        await asyncio.gather(*(host.stop() for host in hosts.values()))


def _first(process: ProcessConfig) -> Mapping[str, str]:
    """Return the variables that speak for the whole process."""
    return process.services[0] if process.services else os.environ


def _nobodys(hosts: Mapping[str, Host]) -> ServiceConfig:
    """Configure what the process tells of itself: it is no service's in particular, and has the system's name."""
    config = next(iter(hosts.values())).config
    environ = {name: value for name, value in config.environ.items() if name != "OTEL_SERVICE_NAME"}
    return msgspec.structs.replace(config, environ=environ)


def _read(file: Path) -> ProcessConfig:
    try:
        return msgspec.json.decode(file.read_bytes(), type=ProcessConfig)
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{file} is no process configuration: {error}") from error


def transport_of(config: ServiceConfig) -> Transport:
    """Choose how calls leave: through the proxy, straight to replicas, or to services in this process only."""
    if not config.mesh:
        return LocalTransport()
    if config.mesh.startswith("direct:"):
        from shoal.runtime.direct import SCHEME, DirectTransport  # noqa: PLC0415 - as below

        return DirectTransport(config.mesh.removeprefix(SCHEME))
    from shoal.runtime.mesh import MeshTransport  # noqa: PLC0415 - its client takes 0.1 s to import; most services call nobody

    return MeshTransport(config.mesh, _caller(config))


def _caller(config: ServiceConfig) -> "Caller | None":
    """Choose what says who this process is, where a platform asks it of every call."""
    if not config.caller:
        return None
    if config.caller != "google":
        raise SettingsError(f"SHOAL_CALLER={config.caller!r} is nobody's way", hint="say google, or nothing")
    from shoal.drivers.google.caller import GoogleCaller  # noqa: PLC0415 - as above

    return GoogleCaller(config.environ)


def _announce(name: str) -> Callable[[], None]:
    def started() -> None:
        _log.info("%s is ready", name)

    return started
