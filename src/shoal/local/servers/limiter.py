"""Whoever counts requests for all gateways."""

from shoal.local.engines import Recipe, limiter
from shoal.local.limiter.settings import Settings
from shoal.local.secrets import LIMITER
from shoal.local.servers.server import Server
from shoal.local.site import Site
from shoal.mesh.counting import LIMITS
from shoal.mesh.layout import Pipe


def _recipe(site: Site) -> Recipe:
    assert site.mesh is not None, "only proxies ask it"  # noqa: S101
    where = site.mesh.limiter()
    assert isinstance(where, Pipe), "it listens on a socket here"  # noqa: S101
    settings = Settings(
        listen=where.path,
        limits=site.mesh.path(LIMITS),
        valkey=str(site.layout.valkey_socket),
        user=LIMITER,
        password=site.world.passwords.counters[LIMITER],
    )
    return limiter.recipe(limiter.LimiterOptions(settings=settings, directory=site.layout.secrets / "limiter"))


SERVER = Server(name="limiter", recipe=_recipe)
