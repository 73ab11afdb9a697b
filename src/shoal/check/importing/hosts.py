"""Who answers at a host, as the format means it in which the asker is described."""

from collections.abc import Sequence

from shoal.check.importing.facts import Form, Unit

_CLUSTER = (".svc.cluster.local", ".cluster.local", ".svc")


def namespace(name: str) -> str:
    """Return a namespace of Kubernetes; empty for the one in which everything is of which nobody says another one."""
    return "" if name == "default" else name


class Hosts:
    """Finds units by the names that others call them by."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._near: dict[tuple[Form, str, str], Unit] = {}
        self._all: dict[tuple[Form, str], Unit] = {}
        for unit in units:
            for name in unit.names:
                self._near.setdefault((unit.form, unit.scope, name.lower()), unit)
                self._all.setdefault((unit.form, name.lower()), unit)

    def unit(self, asking: Unit, host: str) -> Unit | None:
        """Find who answers; first among those near to who asks.

        Args:
            asking: Who asks.
            host: In lower case.
        """
        if asking.form == "kubernetes":
            return self._in_cluster(asking.scope, host)
        host = asking.links[host].text.lower() if host in asking.links else host
        return self._near.get(("compose", asking.scope, host)) or self._all.get(("compose", host))

    def _in_cluster(self, scope: str, host: str) -> Unit | None:
        """Find a service by ``name``, ``name.namespace`` or ``name.namespace.svc.cluster.local``."""
        ending = next((ending for ending in _CLUSTER if host.endswith(ending)), "")
        name, _, rest = host.removesuffix(ending).partition(".")
        if rest:
            return self._of(namespace(rest), name, surely=bool(ending)) or self._pod(scope, name, rest)
        return self._of(scope, name, surely=True) or (None if scope else self._all.get(("kubernetes", name)))

    def _of(self, scope: str, name: str, *, surely: bool) -> Unit | None:
        """Find what is called so in a namespace, or whose file leaves its namespace to who applies it.

        Args:
            scope: The namespace.
            name: Of what is looked for.
            surely: Whether it is a name within the cluster, whatever it looks like.
        """
        found = self._near.get(("kubernetes", scope, name))
        return found or (self._near.get(("kubernetes", "", name)) if surely else None)

    def _pod(self, scope: str, pod: str, rest: str) -> Unit | None:
        """Find the set of which a host is one: ``mongo-0.mongo``."""
        service, dot, space = rest.partition(".")
        number = pod.rpartition("-")[2]
        return self._of(namespace(space) if dot else scope, service, surely=True) if number.isdecimal() else None
