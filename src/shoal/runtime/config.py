"""What the world tells one service: addresses, credentials and keys, from ``SHOAL_*`` variables."""

import os
import secrets
from collections.abc import Mapping
from typing import Self

import msgspec

from shoal.errors import SettingsError
from shoal.runtime.backlog import BOUND

PROCESS = "SHOAL_PROCESS"
"""Names a JSON file with a `ProcessConfig`, for one process that runs several services."""

_RUN = "K_REVISION"
"""Set in each container of Cloud Run, whose instances have no name ("Container runtime contract")."""

_ECS = "ECS_CONTAINER_METADATA_URI_V4"
"""``http://169.254.170.2/v4/TASK-NUMBER`` in each container (ECS developer guide, "Task metadata endpoint")."""


class ServiceConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one service needs to know to run; one field, one ``SHOAL_`` variable."""

    system: str
    entry: str
    """``package.module:attribute`` of the declaration."""
    replica: str = "0"
    version: str = ""
    """Of the service's code: a tag or a commit, which log lines and telemetry say."""
    listen: str = ""
    """``unix:/path`` or ``tcp:127.0.0.1:8000``; empty within a process of several services."""
    store_url: str = ""
    broker_url: str = ""
    cache_url: str = ""
    warehouse_url: str = ""
    key_ring: str = ""
    """Where the key ring is that wraps the service's own keys; needed where it has personal data."""
    search_url: str = ""
    objects_url: str = ""
    mesh: str = ""
    """``unix:/path`` of its outbound listener; calls name the callee in the authority. ``direct:/folder`` of files with
    the replicas of each service, where there is no proxy. ``http://{service}:8080`` where each service has a name."""
    caller: str = ""
    """``google`` where each call says who this process is, as Cloud Run asks of callers."""
    forwarded: str = ""
    """Header, in lower case, in which a gateway that says who it is itself forwards the caller's token."""
    vouched: bool = True
    """Whether a proxy before the service says whose certificate it saw; where none does, callers could say anything."""
    jwks: str = ""
    """File of the key set that verifies tokens."""
    issuer: str = ""
    audience: str = ""
    issuers: str = ""
    """Issuers outside the system, as JSON: a list of `OpenId`, their files of keys by full path."""
    consumers: str = ""
    """Those who call with keys, as JSON: a list of `Consumer`."""
    key_set: str = ""
    """File of what verifies consumers' keys."""
    signing_key: str = ""
    """File of the private key; only the issuing service gets one."""
    access_log: bool = True
    drain: float = 10.0
    """Seconds that work in progress gets at the end."""
    outbox_bound: int = BOUND
    """Events that may wait for the broker; beyond it, what would announce another is answered 503."""
    apart: str = ""
    """Schedules that run in processes of their own, and in no replica: names with commas between them."""
    environ: Mapping[str, str] = {}
    """The variables that the service's own settings are read from."""

    def __repr__(self) -> str:
        """Show what it is for; its addresses hold passwords."""
        return f"ServiceConfig(system={self.system!r}, entry={self.entry!r}, replica={self.replica!r})"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the configuration; raises `SettingsError` that names the variables at fault."""
        found = dict(os.environ if environ is None else environ)
        values: dict[str, object] = {"environ": found}
        for field in msgspec.structs.fields(cls):
            text = found.get(f"SHOAL_{field.name.upper()}")
            if field.name != "environ" and text is not None:
                values[field.name] = text
        values.setdefault("replica", _task(found))
        try:
            return msgspec.convert(values, cls, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(
                f"the configuration of this service is incomplete: {error}",
                hint="fields are read from SHOAL_<FIELD>; `shoal run` sets them all",
            ) from error


def _task(environ: Mapping[str, str]) -> str:
    """Name this replica where nobody did: by its task on Amazon's ECS, by chance on Cloud Run, else ``0``."""
    if environ.get(_RUN):
        return secrets.token_hex(4)
    return environ.get(_ECS, "").rpartition("/")[2].partition("-")[0] or "0"


class ProcessConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One process that runs several services and is its own gateway."""

    system: str
    """``package.module:attribute`` of the system's declaration."""
    listen: str
    services: tuple[dict[str, str], ...]
    """One environment per service, as `ServiceConfig.from_environ` reads it."""
