"""Valkey: memory, clients, hits and misses (``INFO``). Names follow OpenTelemetry's receiver of Redis."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shoal.dashboard.scrape.sample import Sample
from shoal.drivers.valkey.link import Door, Link

_METRICS = {
    "used_memory": ("redis.memory.used", "gauge", "By"),
    "maxmemory": ("redis.maxmemory", "gauge", "By"),
    "connected_clients": ("redis.clients.connected", "gauge", "{client}"),
    "blocked_clients": ("redis.clients.blocked", "gauge", "{client}"),
    "total_commands_processed": ("redis.commands.processed", "sum", "{command}"),
    "keyspace_hits": ("redis.keyspace.hits", "sum", "{event}"),
    "keyspace_misses": ("redis.keyspace.misses", "sum", "{event}"),
    "expired_keys": ("redis.keys.expired", "sum", "{event}"),
    "evicted_keys": ("redis.keys.evicted", "sum", "{key}"),
    "rejected_connections": ("redis.connections.rejected", "sum", "{connection}"),
    "total_net_input_bytes": ("redis.net.input", "sum", "By"),
    "total_net_output_bytes": ("redis.net.output", "sum", "By"),
}


@dataclass(frozen=True, slots=True)
class Valkey:
    """One server, at its socket."""

    socket: Path
    user: str
    password: str = field(repr=False)
    engine: str = "valkey"
    name: str = "valkey"

    async def ask(self) -> list[Sample]:
        """Ask over a connection that is closed again."""
        link = Link(Door(socket=self.socket, user=self.user, password=self.password))
        try:
            said = await link.call("INFO")
        finally:
            await link.close()
        return list(samples(said.decode("utf-8", "replace") if isinstance(said, bytes) else ""))


def samples(text: str) -> Iterator[Sample]:
    """Read the text of ``INFO``; lines that say something else are left out."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        known = _METRICS.get(key)
        if known is not None and value.strip().isdigit():
            name, kind, unit = known
            yield Sample(name, float(value), "sum" if kind == "sum" else "gauge", unit)
