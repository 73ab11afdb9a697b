"""A system behind what is rendered for Kubernetes: built by kubectl, translated by `tests.istiod`, run by Envoy."""

import contextlib
import json
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from shoal.deploy.kubernetes.settings import Environment, Mesh
from shoal.local.engines import envoy
from shoal.local.engines.recipe import start
from shoal.local.ports import free_port
from shoal.mesh.certificates import Credential, authority, identity
from shoal.mesh.certificates import edge as certificate_of_names
from shoal.mesh.layout import Pipe
from shoal.model.system import System
from tests.deploy.samples import written
from tests.istiod.cluster import Cluster, read
from tests.istiod.proxies import Told, bootstrap
from tests.istiod.wires import Place
from tests.linkerd import proxies as linkerd
from tests.mesh.wire import App, serving
from tests.mesh.world import issuance

Document = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Twice:
    """What runs, and how to come in."""

    cluster: Cluster
    place: Place
    root: Credential
    apps: dict[str, App] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The first name of the gateway."""
        return self.names[0]

    @property
    def names(self) -> list[str]:
        """All names of the gateway."""
        return [one.hostname for one in self.cluster.gateways["edge"].listeners]

    def holder(self, account: str) -> ssl.SSLContext:
        """Make a TLS client with the certificate of an account."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(cadata=self.root.certificate)
        context.load_cert_chain(*self.place.certificate(account))
        return context


def built(system: System, environment: Environment) -> list[Document]:
    """Write a system for Kubernetes and build its one environment, as a cluster would get it."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not here, which builds what is translated")
    with tempfile.TemporaryDirectory(prefix="twice") as folder:
        for path, text in written(system, environment).items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_text(text, "utf-8")
        done = subprocess.run(  # noqa: S603 - our own folder
            ["kubectl", "kustomize", f"{folder}/overlays/{environment.name}"],  # noqa: S607 - whichever is installed
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.load_all(done.stdout, yaml.CSafeLoader) if one]


@contextlib.asynccontextmanager
async def proven(
    documents: Iterable[Document],
    mesh: Mesh = "istio",
    *,
    keys: Mapping[str, str] | None = None,
    backwards: bool = False,
    merging: bool = False,
) -> AsyncIterator[Twice]:
    """Run what the documents mean to a mesh, with an application that tells what it saw in every pod.

    Args:
        documents: As `built` gives them.
        mesh: Who reads them.
        keys: What each address of keys answers.
        backwards: Whether the routes of Linkerd count in the opposite order.
        merging: Whether Istio is installed so that slashes are merged.
    """
    documents = list(documents)
    cluster = read(documents, "cluster.local")
    with tempfile.TemporaryDirectory(prefix="twice") as folder:
        place = Place(folder=folder, port=free_port())
        world = Twice(cluster=cluster, place=place, root=authority("cluster.local", issuance()))
        _certify(world)
        told = Told(cluster=cluster, place=place, keys=keys or {}, ambient=mesh == "istio-ambient", merging=merging)
        path = Path(folder) / "bootstrap.json"
        found = linkerd.bootstrap(told, documents, oldest_last=backwards) if mesh == "linkerd" else bootstrap(told)
        path.write_text(json.dumps(found), "utf-8")
        async with contextlib.AsyncExitStack() as stack:
            for name in cluster.workloads:
                if name not in cluster.gateways:
                    app = _app(name)
                    world.apps[name] = await stack.enter_async_context(serving(app, Pipe(path=place.application(name))))
            options = envoy.EnvoyOptions(bootstrap=path, admin=Path(place.admin), name="translated")
            proxy = await start(envoy.recipe(options), on_line=_nothing)
            stack.push_async_callback(proxy.process.stop)
            yield world


def _nothing(_: str) -> None: ...


def _app(workload: str) -> App:
    """Make the application of a pod; one whose name ends in its version says so."""
    service, dash, version = workload.rpartition("-")
    is_second = bool(dash) and version == "canary"
    return App(name=service if is_second else workload, version=version if is_second else "")


def _certify(world: Twice) -> None:
    """Sign a certificate for every account, and one for the names of the gateway."""
    Path(world.place.trust).write_text(world.root.certificate, "utf-8")
    for account in {one.account for one in world.cluster.workloads.values()}:
        _keep(world, account, identity(world.root, world.cluster.identity(account), issuance()))
    if "edge" in world.cluster.gateways:
        names = [*world.names, "localhost"]
        _keep(world, "edge-certificate", certificate_of_names(world.root, names, issuance()))


def _keep(world: Twice, account: str, credential: Credential) -> None:
    certificate, key = world.place.certificate(account)
    Path(certificate).write_text(credential.certificate, "utf-8")
    Path(key).write_text(credential.key, "utf-8")
