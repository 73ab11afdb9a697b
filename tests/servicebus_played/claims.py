"""Signatures of shared access policies, and tokens of whoever lends some, as ``$cbs`` and the management take them."""

import base64
import hashlib
import hmac
import time
from urllib.parse import parse_qsl, quote_plus, unquote

from tests.servicebus_played.state import Namespace


def policy(namespace: Namespace, token: str, resource: str) -> str:
    """Say whose signature it is; empty when it is none, of something else, or over."""
    if token.removeprefix("Bearer ") in namespace.tokens:
        return namespace.tokens[token.removeprefix("Bearer ")]
    said = dict(parse_qsl(token.removeprefix("SharedAccessSignature "), keep_blank_values=True))
    name = said.get("skn", "")
    if name not in namespace.policies or not unquote(resource).startswith(said.get("sr", "-")):
        return ""
    text = f"{quote_plus(said['sr'])}\n{said['se']}"
    key = namespace.policies[name][0]
    wanted = base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
    return name if hmac.compare_digest(wanted, said.get("sig", "")) and int(said["se"]) > time.time() else ""
