"""Key sets of issuers outside the system and of consumers, put where Envoy reads them."""

import ssl
from pathlib import Path

from shoal.errors import DeclarationError
from shoal.local import keys
from shoal.local.host import private_file
from shoal.local.layout import Layout
from shoal.mesh.layout import Layout as MeshLayout
from shoal.mesh.tokens import token_keys
from shoal.model.issuers import CONSUMERS, OpenId, placed
from shoal.model.plan import Plan
from shoal.model.system import Gateway


def place(gateway: Gateway, layout: Layout, mesh: MeshLayout) -> None:
    """Copy the files of keys; raises `DeclarationError` for one that is not there."""
    for issuer in gateway.issuers:
        if not issuer.remote:
            private_file(Path(mesh.jwks(issuer.name)), _read(issuer, layout.root))
    if gateway.consumers:
        keys.ensure(layout.secrets)
        with keys.held(layout.secrets):
            private_file(Path(mesh.jwks(CONSUMERS)), keys.file(layout.secrets).read_text("utf-8"))


def renew(plan: Plan, layout: Layout, mesh: MeshLayout) -> None:
    """Give a running Envoy the consumers' keys as they are now; it drops no request for it.

    Their own file is replaced first: a change of the declaration makes Envoy read it again.
    """
    with keys.held(layout.secrets):
        text = keys.file(layout.secrets).read_text("utf-8")
        private_file(Path(mesh.jwks(CONSUMERS)), text)
        artifact = token_keys(plan, mesh, {CONSUMERS: text})
        private_file(Path(mesh.path(artifact.path)), artifact.text)


def authorities(otherwise: str) -> str:
    """Locate the file of authorities that this machine trusts."""
    paths = ssl.get_default_verify_paths()
    return next((path for path in (paths.cafile, paths.openssl_cafile) if path and Path(path).exists()), otherwise)


def _read(issuer: OpenId, root: Path) -> str:
    file = Path(placed(issuer, str(root)).keys)
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise DeclarationError(
            f"the keys of issuer {issuer.name} cannot be read from {file}: {error.strerror or error}",
            hint="put its key set (JWKS) there, or give the URL at which it is published",
        ) from error
    from shoal.tokens import can_verify  # noqa: PLC0415 - cryptography takes 0.1 s to import

    if not can_verify(text.encode(), issuer.algorithms):
        raise DeclarationError(
            f"{file} holds no key of issuer {issuer.name} for {', '.join(issuer.algorithms)}",
            hint="put its key set (JWKS) there, or declare the algorithms that it signs with",
        )
    return text
