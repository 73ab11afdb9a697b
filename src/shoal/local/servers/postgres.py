"""PostgreSQL, for rows and for documents."""

from shoal.local.engines import Recipe, postgres
from shoal.local.servers.server import Place, Server
from shoal.local.site import Site, World
from shoal.local.urls import postgres_url


def _recipe(site: Site) -> Recipe:
    return postgres.recipe(
        postgres.PostgresOptions(
            data=site.layout.data / "postgres" / "cluster",
            sockets=site.layout.postgres_sockets,
            password=site.world.passwords.stores["postgres"],
        )
    )


def _store(world: World, place: Place) -> str:
    url = postgres_url(world.postgres, place.role, place.password, place.database)
    pooled = f"&pooler=transaction&direct={world.postgres}:5432" if place.pooled else ""
    return url.replace("postgres:", f"{place.scheme}:", 1) + pooled


def _operator(world: World) -> str:
    return postgres_url(world.postgres, postgres.SUPERUSER, world.passwords.stores["postgres"], "postgres")


SERVER = Server(name="postgres", recipe=_recipe, store=_store, store_operator=_operator)
