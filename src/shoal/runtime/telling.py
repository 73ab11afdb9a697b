"""The telemetry of one process: an exporter, and a recorder for each service in it."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Self

import msgspec

from shoal.runtime.config import ServiceConfig
from shoal.runtime.metrics.sending import measured, sending
from shoal.runtime.metrics.vitals import Vitals
from shoal.service.settings import Secret, Settings
from shoal.telemetry import conventions as names
from shoal.telemetry.exporter import Exporter
from shoal.telemetry.masking import MASK
from shoal.telemetry.recorder import Recorder
from shoal.telemetry.settings import TelemetrySettings

ENDING = 3.0
"""Seconds that a process takes at its end to send what it recorded."""


class Telemetry:
    """What records and exports in this process; nothing at all where no receiver is configured."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._settings = TelemetrySettings.from_environ(environ)
        self.exporter = Exporter(self._settings) if self._settings.active else None

    def recorder(self, service: str, config: ServiceConfig) -> Recorder | None:
        """Make what a service records with; None where nothing is exported."""
        if self.exporter is None:
            return None
        given = {
            names.SERVICE_NAME: service,
            names.SERVICE_VERSION: config.version,
            names.SERVICE_NAMESPACE: config.system,
            names.SERVICE_INSTANCE_ID: f"{service}-{config.replica}",
        }
        recorder = Recorder(TelemetrySettings.from_environ(config.environ), given)
        recorder.attach(self.exporter)
        return recorder

    def sending(self, services: Iterable[tuple[Vitals, Recorder | None]]) -> AbstractAsyncContextManager[None]:
        """Send what services measure for the time of the block; nothing where nothing is exported."""
        if self.exporter is None:
            return nullcontext()
        pause, exporter = self._settings.metrics_pause, self.exporter
        found = [measured(vitals, recorder.resource, exporter, pause) for vitals, recorder in services if recorder]
        return sending(found, exporter)

    async def __aenter__(self) -> Self:
        if self.exporter is not None:
            self.exporter.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.exporter is not None:
            await asyncio.to_thread(self.exporter.close, ENDING)


def hide_secrets(config: ServiceConfig, settings: Settings | None) -> None:
    """Keep what a service knows and may not tell out of the log and out of everything that is exported."""
    for field in msgspec.structs.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, str) and "://" in value:
            MASK.learn_address(value)
    for secret in _secrets(settings):
        MASK.learn(secret.reveal())


def _secrets(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            yield from _secrets(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _secrets(item)
