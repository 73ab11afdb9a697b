"""How the files come to be that a person fills in, whatever the cloud. Pure."""

from collections.abc import Iterator

from shoal.deploy.cloud.scope import Scope
from shoal.deploy.cloud.telling import JWKS, KEY_SET, SIGNING, key_files


def made(scope: Scope) -> Iterator[str]:
    """Say how the keys are made that no cloud makes: of tokens, and of consumers."""
    files = key_files(scope)
    if any(one.issues_tokens for one in scope.plan.services):
        yield f"`shoal keys issuer --out FOLDER` makes `{SIGNING}` and `{JWKS}`: another key than that of a laptop."
    if KEY_SET in files:
        yield f"`shoal keys create CONSUMER` makes a key of one; `{KEY_SET}` is `.shoal/secrets/consumer-keys.json`."
    for issuer in scope.plan.system.gateway.issuers:
        if not issuer.remote:
            yield f"`{issuer.name}.json` is `{issuer.keys}` of the project."
