"""Mutual TLS between services: who shows which certificate, and whom each side accepts."""

import posixpath

from shoal.mesh import proto
from shoal.mesh.layout import EDGE
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json, typed
from shoal.model.plan import GATEWAY

_TLS = "envoy.extensions.transport_sockets.tls.v3"

TRUST = "trust"
"""Name of the secret with the authority's certificate."""


def server(scope: Scope, holder: str) -> Json:
    """Serve with the certificate of `holder`; only clients of the same system get through the handshake."""
    accepted = {"prefix": f"spiffe://{scope.plan.system.name}/"}
    context = typed(
        f"{_TLS}.DownstreamTlsContext",
        require_client_certificate=True,
        common_tls_context=_common(scope, holder, accepted),
    )
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def edge(scope: Scope) -> Json:
    """Serve clients from outside with the edge's own certificate; nothing where the edge speaks plain text."""
    wanted = scope.plan.tls
    if wanted is None:
        return {}
    versions = {"tls_minimum_protocol_version": f"TLSv{wanted.minimum.replace('.', '_')}"}
    common = {
        "tls_params": versions | {"tls_maximum_protocol_version": "TLSv1_3"},
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificate_sds_secret_configs": [_secret(scope, EDGE)],
    }
    context = typed(f"{_TLS}.DownstreamTlsContext", common_tls_context=common)
    return {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context}}


def client(scope: Scope, holder: str, server_identity: str) -> Json:
    """Connect with the certificate of `holder`, to nobody but `server_identity`."""
    context = typed(
        f"{_TLS}.UpstreamTlsContext",
        common_tls_context=_common(scope, holder, {"exact": server_identity}),
    )
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def secret_file(name: str) -> str:
    """Name the artifact with one secret."""
    return f"sds/{name}.json"


def secrets(scope: Scope) -> dict[str, Json]:
    """Write every secret by name: they hold paths, Envoy reads the files again after a rename beside them."""
    served = scope.layout.served
    holders = [*served, *([EDGE] if scope.plan.tls and GATEWAY in served else [])]
    return {TRUST: _trust(scope)} | {holder: _certificate(scope, holder) for holder in holders}


def _trust(scope: Scope) -> Json:
    path = scope.layout.trust()
    authority = {"trusted_ca": {"filename": path}} | _directory(scope, path)
    return {"name": TRUST, "validation_context": authority}


def _certificate(scope: Scope, holder: str) -> Json:
    chain, key = scope.layout.certificate(holder), scope.layout.key(holder)
    pair = {"certificate_chain": {"filename": chain}, "private_key": {"filename": key}}
    return {"name": holder, "tls_certificate": pair | _directory(scope, chain)}


def _directory(scope: Scope, path: str) -> Json:
    """Envoy allows the watch only for secrets that are delivered by SDS."""
    return {} if scope.static else {"watched_directory": {"path": posixpath.dirname(path)}}


def _common(scope: Scope, holder: str, accepted: Json) -> Json:
    version = {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"}
    names = {"match_typed_subject_alt_names": [{"san_type": "URI", "matcher": accepted}]}
    return {
        "tls_params": version,
        "alpn_protocols": ["h2"],
        "tls_certificate_sds_secret_configs": [_secret(scope, holder)],
        "combined_validation_context": {
            "default_validation_context": names,
            "validation_context_sds_secret_config": _secret(scope, TRUST),
        },
    }


def _secret(scope: Scope, name: str) -> Json:
    if scope.static:
        return {"name": name}
    return {"name": name, "sds_config": proto.watched(scope.layout.path(secret_file(name)))}
