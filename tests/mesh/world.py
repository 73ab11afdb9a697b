"""A running mesh: the real Envoy, made-up identities and tokens, small applications."""

import contextlib
import datetime as dt
import json
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from shoal.local.engines import envoy
from shoal.local.engines.recipe import start
from shoal.local.ports import free_port
from shoal.mesh.bootstrap import BOOTSTRAP
from shoal.mesh.certificates import Credential, Issuance, authority, identity
from shoal.mesh.certificates import edge as edge_certificate
from shoal.mesh.compile import compile_mesh
from shoal.mesh.endpoints import endpoints
from shoal.mesh.layout import EDGE, Address, Layout, layout_for
from shoal.mesh.tokens import token_keys
from shoal.model.artifact import Artifact
from shoal.model.names import identity as spiffe_id
from shoal.model.system import System
from tests.mesh.samples import ISSUER, planned
from tests.mesh.wire import Answer, App, ask, eventually_true, serving


def issuance(*, days: float = 1.0, ago: float = 0.0) -> Issuance:
    return Issuance(
        now=dt.datetime.now(dt.UTC) - dt.timedelta(days=ago),
        validity=dt.timedelta(days=days),
        new_key=lambda: ec.generate_private_key(ec.SECP256R1()),
    )


def replace(path: str, text: str) -> None:
    """Write a file as the supervisor does: beside its place, then renamed."""
    beside = Path(f"{path}.tmp")
    beside.write_text(text, "utf-8")
    beside.rename(path)


@dataclass(slots=True, kw_only=True)
class World:
    """One mesh and what the tests need to talk to it."""

    system: System
    layout: Layout
    root: Credential
    signer: ECKey
    lines: list[str] = field(default_factory=list)
    stop: Callable[[], Awaitable[object]] = field(init=False)
    """Ends Envoy, which writes what it still holds of its log."""

    def write(self, *artifacts: Artifact) -> None:
        for artifact in artifacts:
            replace(self.layout.path(artifact.path), artifact.text)

    def point(self, service: str, *replicas: Address) -> None:
        """Make these the replicas of a service."""
        self.write(endpoints(service, replicas))

    async def edge(self, line: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        tls = self.client(None) if self.system.gateway.tls else None
        return await ask(self.layout.edge(), line, headers=headers, body=body, tls=tls)

    async def out(self, caller: str, line: str, *, to: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Call as the application of `caller` does, through its outbound listener."""
        return await ask(self.layout.outbound(caller), line, host=to, headers=headers)

    def token(
        self, claims: Mapping[str, object] | None = None, *, key: ECKey | None = None, without: Sequence[str] = ()
    ) -> str:
        return signed(key or self.signer, claims or {}, without)

    def bearer(self, token: str = "") -> dict[str, str]:
        return {"authorization": f"Bearer {token or self.token()}"}

    def access_log(self) -> str:
        return Path(self.layout.access()).read_text("utf-8")

    def client(self, credential: Credential | None) -> ssl.SSLContext:
        """Make a TLS client that shows `credential`."""
        return client(self.root, credential)

    def holder(self, name: str) -> ssl.SSLContext:
        """Make a TLS client with the files of a service, as a thief would."""
        certificate, key = (Path(p).read_text("utf-8") for p in (self.layout.certificate(name), self.layout.key(name)))
        return self.client(Credential(certificate=certificate, key=key))

    def give_identities(self, root: Credential) -> None:
        """Sign a new certificate for everyone."""
        for holder in self.layout.holders:
            leaf = identity(root, spiffe_id(self.system.name, holder), issuance())
            replace(self.layout.key(holder), leaf.key)
            replace(self.layout.certificate(holder), leaf.certificate)

    def give_front(self, *names: str) -> None:
        """Sign a certificate for clients from outside."""
        leaf = edge_certificate(self.root, names, issuance())
        Path(self.layout.identity(EDGE)).mkdir(exist_ok=True)
        replace(self.layout.key(EDGE), leaf.key)
        replace(self.layout.certificate(EDGE), leaf.certificate)

    def publish_keys(self, *keys: ECKey) -> None:
        """Give the edge other keys while it runs."""
        self.write(token_keys(planned(self.system), self.layout, {"": key_set(*keys)}))


def client(root: Credential, credential: Credential | None) -> ssl.SSLContext:
    """Make a TLS client that trusts `root` and shows `credential`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=root.certificate)
    if credential is not None:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(credential.certificate + credential.key)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def signed(signer: ECKey, claims: Mapping[str, object], without: Sequence[str] = ()) -> str:
    """Sign a token that is valid for ten minutes, with other claims or without some."""
    now = int(time.time())
    usual = {"iss": ISSUER.name, "aud": ISSUER.audience, "sub": "u1", "exp": now + 600, "iat": now}
    kept = {name: value for name, value in {**usual, **claims}.items() if name not in without}
    return jwt.encode({"alg": "ES256", "kid": str(signer.kid)}, kept, signer)


def new_signer(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "alg": "ES256"})


def key_set(*keys: ECKey) -> str:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]})


def furnish(system: System, root: Path) -> World:
    """Write everything that Envoy needs before it starts."""
    plan = planned(system, port=free_port())
    layout = layout_for(plan, root=str(root))
    for directory in layout.directories:
        Path(directory).mkdir(parents=True, exist_ok=True)
    world = World(system=system, layout=layout, root=authority(system.name, issuance()), signer=new_signer("one"))
    replace(layout.trust(), world.root.certificate)
    world.give_identities(world.root)
    if plan.tls is not None:
        world.give_front(*plan.tls.names)
    replace(layout.jwks(), key_set(world.signer))
    world.write(*compile_mesh(plan, layout))
    return world


@contextlib.asynccontextmanager
async def running(system: System, prepare: Callable[[World], None] | None = None) -> AsyncIterator[World]:
    """Run the mesh of `system`, below a short path; `prepare` adds what else Envoy reads when it starts."""
    with tempfile.TemporaryDirectory(prefix="mesh") as folder:
        world = furnish(system, Path(folder))
        if prepare is not None:
            prepare(world)
        admin = Path(world.layout.sockets) / "envoy.admin"
        options = envoy.EnvoyOptions(bootstrap=Path(world.layout.path(BOOTSTRAP)), admin=admin)
        proxy = await start(envoy.recipe(options), on_line=world.lines.append)
        world.stop = proxy.process.stop
        try:
            yield world
        finally:
            await world.stop()
        assert not [line for line in world.lines if "rejected" in line or "unknown" in line.lower()], world.lines


@contextlib.asynccontextmanager
async def everyone(world: World) -> AsyncIterator[dict[str, App]]:
    """Run one replica of each service."""
    async with contextlib.AsyncExitStack() as stack:
        apps = {}
        for service in world.system.services:
            where = world.layout.replica(service.name, 0)
            apps[service.name] = await stack.enter_async_context(serving(App(name=service.name), where))
            world.point(service.name, where)
        for service in world.system.services:
            await eventually_served(world, service.name)
        yield apps


async def eventually_served(world: World, service: str) -> None:
    """Wait until Envoy knows a replica of `service`."""
    await eventually(world, f"{service}::{world.layout.replica(service, 0).path}::")


async def eventually(world: World, text: str, *, gone: bool = False) -> None:
    """Wait until the list of clusters has `text`, or no longer has it."""

    async def check() -> bool:
        return (text in await clusters(world)) != gone

    await eventually_true(check)


async def clusters(world: World) -> str:
    return (await ask(world.layout.admin(), "GET /clusters", headers={"content-length": "0"})).body.decode()
