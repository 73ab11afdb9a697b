"""The sample system behind the real Envoy: two versions of one service, an old application, tokens and keys."""

import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator

from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import Pipe, Tcp
from shoal.model.issuers import CONSUMERS, key_issuer
from shoal.model.plan import plan
from shoal.model.rollout import version_name
from shoal.model.system import System
from shoal.model.target import Target
from shoal.tokens import make_key
from tests.conformance.edge.runner import Tokens
from tests.conformance.edge.sample import CANARY, ISSUER, OLD
from tests.mesh.wire import App, serving
from tests.mesh.world import World, eventually, everyone, new_signer, replace, running


@contextlib.asynccontextmanager
async def sampled(system: System) -> AsyncIterator[tuple[World, Tokens]]:
    """Run the sample, with everything in place that the rows ask for."""
    keys = {name: make_key(name, key_issuer(system.name), expires=int(time.time()) + 600) for name in ("till", "kiosk")}
    known = json.dumps({"keys": [public for _, public in keys.values()]})
    forged, _ = make_key("till", key_issuer(system.name), expires=int(time.time()) + 600)

    def prepare(world: World) -> None:
        replace(world.layout.jwks(CONSUMERS), known)

    async with running(system, prepare) as world, everyone(world):
        old, fresh = world.layout.legacy(OLD.name), world.layout.replica(version_name("seats", CANARY.version), 0)
        assert isinstance(old, Pipe)
        async with serving(App(name=OLD.name), old), serving(App(name="seats", version=CANARY.version), fresh):
            await _divide(world, fresh)
            given = {f"key-{name}": key for name, (key, _) in keys.items()}
            yield world, {**_tokens(world), **given, "key-forged": forged}


async def _divide(world: World, fresh: Pipe) -> None:
    """Give the second version its part, as the supervisor does: clusters first, then routes."""
    name = version_name("seats", CANARY.version)
    target = Target(port=world.layout.port, splits={"seats": CANARY})
    files = [a for a in compile_mesh(plan(world.system, target), world.layout) if a.path[:4] in ("cds/", "rds/")]
    world.point(name, fresh)
    world.write(*(a for a in files if a.path.startswith("cds/")))
    await eventually(world, f"{name}::{fresh.path}::")
    world.write(*(a for a in files if a.path.startswith("rds/")))


def base_of(world: World) -> str:
    """Name the gateway."""
    edge = world.layout.edge()
    assert isinstance(edge, Tcp)
    return f"https://localhost:{edge.port}" if world.system.gateway.tls else f"http://{edge.host}:{edge.port}"


def _tokens(world: World) -> Tokens:
    own = {"iss": ISSUER.name, "aud": ISSUER.audience}
    valid = world.token(own)
    claims = valid.split(".")[1]
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    return {
        "valid": valid,
        "clerk": world.token({**own, "roles": ["clerk"]}),
        "exporter": world.token({**own, "scope": "orders:export other orders:read"}),
        "reader": world.token({**own, "scope": "orders:read orders:exporter"}),
        "expired": world.token({**own, "exp": 1}),
        "early": world.token({**own, "nbf": 32503680000}),
        "other-audience": world.token({**own, "aud": "another-api"}),
        "other-issuer": world.token({**own, "iss": "https://another.example"}),
        "forged": world.token(own, key=new_signer("one")),
        "unsigned": f"{unsigned}.{claims}.",
        "endless": world.token(own, without=("exp",)),
        "stripped": valid.rpartition(".")[0] + ".",
    }
