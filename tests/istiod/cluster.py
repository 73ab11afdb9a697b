"""What istiod knows of a namespace: its pods, the names by which they are called, and every object of the mesh."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.istiod import policies, routing
from tests.istiod.known import Document, K, Unknown, named, specification

GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
WAYPOINT, INGRESS = "istio.io/use-waypoint", "istio.io/ingress-use-waypoint"

_SECURITY, _NETWORKING, _GATEWAY = "security.istio.io", "networking.istio.io", "gateway.networking.k8s.io"
_KNOWN = {
    "Gateway": _GATEWAY,
    "HTTPRoute": _GATEWAY,
    "PeerAuthentication": _SECURITY,
    "RequestAuthentication": _SECURITY,
    "AuthorizationPolicy": _SECURITY,
    "VirtualService": _NETWORKING,
    "DestinationRule": _NETWORKING,
    "Telemetry": "telemetry.istio.io",
}
_FOREIGN = (".istio.io", "gateway.networking.k8s.io")


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The pods of a Deployment, or of a Gateway."""

    name: str
    labels: Mapping[str, str]
    account: str

    @property
    def waypoint(self) -> bool:
        """Whether it stands between callers and services."""
        return self.name == "waypoint" and GATEWAY_NAME in self.labels


@dataclass(frozen=True, kw_only=True)
class Service:
    """A name by which pods are called."""

    name: str
    labels: Mapping[str, str]
    selector: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Everything in one namespace, each specification by the name of its object."""

    namespace: str
    trust_domain: str
    workloads: Mapping[str, Workload]
    services: Mapping[str, Service]
    gateways: Mapping[str, routing.Gateway]
    routes: Mapping[str, routing.HttpRoute]
    virtual_services: Mapping[str, routing.VirtualService]
    destination_rules: Mapping[str, policies.DestinationRule]
    authorizations: Mapping[str, policies.AuthorizationPolicy]
    requests: Mapping[str, policies.RequestAuthentication]
    peers: Mapping[str, policies.PeerAuthentication]
    telemetries: Mapping[str, policies.Telemetry]

    def identity(self, account: str) -> str:
        """Name a service account as certificates do."""
        return f"spiffe://{self.trust_domain}/ns/{self.namespace}/sa/{account}"

    def pods(self, service: Service) -> list[Workload]:
        """List what a name means."""
        return [one for one in self.workloads.values() if service.selector.items() <= one.labels.items()]

    def authorized(self, workload: Workload, service: str = "") -> dict[str, policies.AuthorizationPolicy]:
        """List the policies that concern a workload; of a waypoint, those that concern a service behind it.

        Selectors mean no Gateway, and targets mean nothing else. A policy with neither means every pod and the
        gateway, but no waypoint (``ShouldAttachPolicy`` of istiod).
        """
        return {name: one for name, one in self.authorizations.items() if self._concerns(one, workload, service)}

    def _concerns(self, policy: policies.AuthorizationPolicy, workload: Workload, service: str) -> bool:
        gateway = workload.labels.get(GATEWAY_NAME)
        if policy.target_refs:
            return any(
                (one.kind == "Gateway" and one.name == gateway)
                or (one.kind == "Service" and workload.waypoint and one.name == service)
                for one in policy.target_refs
            )
        if policy.selector is None:
            return not workload.waypoint
        return policy.selector.match_labels.items() <= workload.labels.items()

    def mode(self, workload: Workload, port: int) -> str:
        """Find whether plain text may come in: by the pod's own rule or the namespace's; PERMISSIVE by default."""
        found = "PERMISSIVE"
        for rule in sorted(self.peers.values(), key=lambda one: one.selector is not None):
            if rule.selector is None or rule.selector.match_labels.items() <= workload.labels.items():
                found = rule.port_level_mtls.get(str(port), rule.mtls).mode
        return found

    def destination(self, service: str) -> policies.DestinationRule | None:
        """Find the rule of a host."""
        return next((one for one in self.destination_rules.values() if one.host == service), None)

    def waypoint_of(self, service: Service) -> Workload | None:
        """Find the waypoint before a service."""
        return self.workloads.get(service.labels.get(WAYPOINT, ""))


def read(documents: Iterable[Document], trust_domain: str) -> Cluster:
    """Read the documents of one namespace, as `kubectl kustomize` writes them.

    Raises:
        Unknown: One belongs to the mesh, and is of a kind or has a field that is not translated.
    """
    documents = list(documents)
    for one in documents:
        group = one["apiVersion"].partition("/")[0]
        if group.endswith(_FOREIGN) and _KNOWN.get(one["kind"]) != group:
            raise Unknown(f"{one['apiVersion']} {one['kind']} {one['metadata']['name']} is not translated")
    gateways = _all(documents, "Gateway", routing.Gateway)
    return Cluster(
        namespace=next(one["metadata"]["name"] for one in documents if one["kind"] == "Namespace"),
        trust_domain=trust_domain,
        workloads={one.name: one for one in (*_deployments(documents), *_gateways(gateways))},
        services={
            name: Service(name=name, labels=one["metadata"].get("labels", {}), selector=one["spec"]["selector"])
            for name, one in named(documents, "Service", "v1").items()
        },
        gateways=gateways,
        routes=_all(documents, "HTTPRoute", routing.HttpRoute),
        virtual_services=_all(documents, "VirtualService", routing.VirtualService),
        destination_rules=_all(documents, "DestinationRule", policies.DestinationRule),
        authorizations=_all(documents, "AuthorizationPolicy", policies.AuthorizationPolicy),
        requests=_all(documents, "RequestAuthentication", policies.RequestAuthentication),
        peers=_all(documents, "PeerAuthentication", policies.PeerAuthentication),
        telemetries=_all(documents, "Telemetry", policies.Telemetry),
    )


def _all(documents: list[Document], kind: str, known: type[K]) -> dict[str, K]:
    return {name: specification(one, known) for name, one in named(documents, kind, _KNOWN[kind]).items()}


def _deployments(documents: list[Document]) -> Iterable[Workload]:
    for name, one in named(documents, "Deployment", "apps").items():
        template = one["spec"]["template"]
        yield Workload(name=name, labels=template["metadata"]["labels"], account=template["spec"]["serviceAccountName"])


def _gateways(gateways: Mapping[str, routing.Gateway]) -> Iterable[Workload]:
    """List the pods that Istio makes for Gateways; accounts are named after them and their class, but a waypoint's."""
    for name, one in gateways.items():
        suffix = "" if one.gateway_class_name == "istio-waypoint" else f"-{one.gateway_class_name}"
        yield Workload(name=name, labels={GATEWAY_NAME: name}, account=f"{name}{suffix}")
