"""The sample system behind the real Envoy: two versions of one service, an old application, tokens and keys."""

import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator

from joserfc.jwk import ECKey

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
from tests.mesh.world import World, eventually, everyone, new_signer, replace, running, signed


@contextlib.asynccontextmanager
async def sampled(system: System) -> AsyncIterator[tuple[World, Tokens]]:
    """Run the sample, with everything in place that the rows ask for."""
    keys, known = keys_of(system)

    def prepare(world: World) -> None:
        replace(world.layout.jwks(CONSUMERS), known)

    async with running(system, prepare) as world, everyone(world):
        old, fresh = world.layout.legacy(OLD.name), world.layout.replica(version_name("seats", CANARY.version), 0)
        assert isinstance(old, Pipe)
        async with serving(App(name=OLD.name), old), serving(App(name="seats", version=CANARY.version), fresh):
            await _divide(world, fresh)
            yield world, {**kinds(world.signer), **keys}


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


def kinds(signer: ECKey) -> Tokens:
    """Make a token of each kind that the rows ask for."""
    own = {"iss": ISSUER.name, "aud": ISSUER.audience}
    valid = signed(signer, own)
    claims = valid.split(".")[1]
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    return {
        "valid": valid,
        "clerk": signed(signer, {**own, "roles": ["clerk"]}),
        "exporter": signed(signer, {**own, "scope": "orders:export other orders:read"}),
        "reader": signed(signer, {**own, "scope": "orders:read orders:exporter"}),
        "expired": signed(signer, {**own, "exp": 1}),
        "early": signed(signer, {**own, "nbf": 32503680000}),
        "other-audience": signed(signer, {**own, "aud": "another-api"}),
        "other-issuer": signed(signer, {**own, "iss": "https://another.example"}),
        "forged": signed(new_signer("one"), own),
        "unsigned": f"{unsigned}.{claims}.",
        "endless": signed(signer, own, ("exp",)),
        "stripped": valid.rpartition(".")[0] + ".",
    }


def keys_of(system: System) -> tuple[Tokens, str]:
    """Make a key for each consumer and one that somebody else signed; also what tells the edge whose are good."""
    made = {name: make_key(name, key_issuer(system.name), expires=int(time.time()) + 600) for name in ("till", "kiosk")}
    forged, _ = make_key("till", key_issuer(system.name), expires=int(time.time()) + 600)
    known = json.dumps({"keys": [public for _, public in made.values()]})
    return {**{f"key-{name}": key for name, (key, _) in made.items()}, "key-forged": forged}, known
