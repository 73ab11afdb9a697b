"""Which engines of a project's run can be asked, and where."""

from collections.abc import Sequence
from pathlib import Path

from shoal.dashboard.scrape.envoy import Envoy
from shoal.dashboard.scrape.nats import Nats
from shoal.dashboard.scrape.postgres import Postgres
from shoal.dashboard.scrape.sample import Source
from shoal.dashboard.scrape.valkey import Valkey
from shoal.local.engines.postgres import SUPERUSER
from shoal.local.layout import layout_of
from shoal.local.secrets import OPERATOR, known_passwords
from shoal.local.state import read_state
from shoal.local.urls import postgres_url


def sources(root: Path) -> Sequence[Source]:
    """List the engines that run for the project at `root` and that somebody here knows how to ask."""
    state, place = read_state(root), layout_of(root)
    running = {p.name for p in state.processes if p.status == "ready"} if state is not None else set()
    found: list[Source] = [Envoy(socket) for socket in sorted(place.sockets.glob("*.admin"))]
    known = known_passwords(place.secrets)
    if "nats" in running:
        found.append(Nats(place.data / "nats" / "ports.json"))
    if "postgres" in running and "postgres" in known.stores:
        url = postgres_url(str(place.postgres_sockets), SUPERUSER, known.stores["postgres"], "postgres")
        found.append(Postgres(url))
    if "valkey" in running and OPERATOR in known.counters:
        found.append(Valkey(place.valkey_socket, OPERATOR, known.counters[OPERATOR]))
    return found
