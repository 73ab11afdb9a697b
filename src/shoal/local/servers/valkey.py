"""Valkey: a part for the cache of each service, and one for the counted limits."""

from shoal.drivers.valkey import COMMANDS, prefix_of
from shoal.local.engines import Recipe, valkey
from shoal.local.limiter import bucket
from shoal.local.secrets import LIMITER, OPERATOR
from shoal.local.servers.server import Server
from shoal.local.site import Site


def _recipe(site: Site) -> Recipe:
    counters, caches = site.world.passwords.counters, site.world.passwords.caches
    users = [
        valkey.ValkeyUser(
            name=s.cache.user, password=caches[s.cache.user], keys=(f"{prefix_of(s.cache.part)}*",), commands=COMMANDS
        )
        for s in site.plan.services
        if s.cache is not None and s.cache.engine == "valkey"
    ]
    if "limiter" in site.plan.engines:
        own = (f"{bucket.PREFIX}*",)
        users.append(valkey.ValkeyUser(name=LIMITER, password=counters[LIMITER], keys=own, commands=bucket.COMMANDS))
    users.append(valkey.ValkeyUser(name=OPERATOR, password=counters[OPERATOR], commands=("+info",)))
    options = valkey.ValkeyOptions(
        directory=site.layout.data / "valkey", socket=site.layout.valkey_socket, users=tuple(users)
    )
    return valkey.recipe(options)


SERVER = Server(name="valkey", recipe=_recipe)
