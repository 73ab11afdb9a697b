"""Tokens that nobody may accept: a table of what is changed in a good one, and a forger who makes it so.

Every one claims all that any endpoint asks for, so that nothing but the forgery can be what is refused.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey, RSAKey

from tests.mesh.samples import ISSUER

ALL = {"roles": ["admin", "root"], "scope": "read write", "tier": "gold", "mfa": True}
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of P-256."""


class Forgery(NamedTuple):
    """What differs from a good token; None removes a name."""

    name: str
    header: Mapping[str, Any] = {}
    claims: Mapping[str, Any] = {}
    by: str = "stranger"
    """Who signs, or with what: see `Forger.signature`."""
    shape: str = "{h}.{c}.{s}"
    value: str = "Bearer {t}"
    raw_header: str = ""
    raw_claims: str = ""
    authentic: bool = False
    """Whether it is the issuer's own token, spelled otherwise: the edge takes it, the service does not."""


_HS = {"alg": "HS256", "kid": "one"}
_RSA = {"alg": "RS256", "kid": "@rsa"}
_OF_RSA = {"iss": "https://rsa.example", "aud": "api"}
_STRANGE_JWK = {"kty": "EC", "crv": "P-256", "x": "@x", "y": "@y"}

_TIMES: tuple[Any, ...] = (1, 0, -1, None, "9999999999", "soon", [], {}, True)

FORGERIES: tuple[Forgery, ...] = (
    *(Forgery(f"alg {a!r} unsigned", {"alg": a}, by="nothing") for a in ("none", "None", "nOnE", "NONE", "none ", "")),
    *(Forgery(f"alg {a!r} signed", {"alg": a}, by="own") for a in ("none", "None", None, [], ["ES256"], 0, True)),
    Forgery("no alg, no signature", {"alg": None}, by="nothing"),
    *(Forgery(f"HS256 with {k}", _HS, by=f"hmac {k}") for k in ("ec pem", "ec der", "ec jwk", "ec x", "jwks")),
    *(Forgery(f"HS256 with {k}", {**_HS, "kid": "@rsa"}, _OF_RSA, f"hmac {k}") for k in (
        "rsa pem", "rsa pkcs1", "rsa der", "rsa jwk", "rsa n",
    )),
    *(Forgery(f"{a} with ec pem", {"alg": a}, by="hmac ec pem") for a in ("HS384", "HS512", "hs256")),
    *(Forgery(f"HS256 with {k or 'no'} secret", _HS, by=f"hmac ={k}") for k in ("", "secret", "one", "null")),
    *(Forgery(f"kid {k[:24]!r}", {"kid": k}) for k in (
        "../../../../../../dev/null", "/dev/null", "file:///etc/passwd", "' OR '1'='1", "one' UNION SELECT 'x",
        "https://evil.example/jwks.json", "one\x00", "one\n", "ONE", "", "x" * 8000, "one|id", "{{7*7}}", "$(id)",
    )),
    *(Forgery(f"kid {k!r}", {"kid": k}) for k in (7, ["one"], {"kid": "one"}, True)),
    Forgery("kid of /dev/null, signed with nothing", {"alg": "HS256", "kid": "/dev/null"}, by="hmac ="),
    Forgery("kid twice", raw_header='{"alg":"ES256","kid":"one","kid":"two"}'),
    Forgery("alg twice, none last", raw_header='{"alg":"ES256","kid":"one","alg":"none"}', by="nothing"),
    Forgery("alg twice, none first", raw_header='{"alg":"none","kid":"one","alg":"ES256"}', by="nothing"),
    Forgery("a stranger's key", {}),
    Forgery("jku", {"jku": "https://evil.example/jwks.json"}),
    Forgery("jku of loopback", {"jku": "http://127.0.0.1:9/jwks.json", "kid": "two"}),
    Forgery("x5u", {"x5u": "https://evil.example/x.pem"}),
    Forgery("jwk", {"jwk": _STRANGE_JWK}),
    Forgery("jwk without kid", {"jwk": _STRANGE_JWK, "kid": None}),
    Forgery("x5c", {"x5c": ["MIIB"]}),
    Forgery("crit of a thing unknown", {"crit": ["exp2"], "exp2": 1}, by="own"),
    Forgery("crit of b64", {"crit": ["b64"], "b64": False}, by="own"),
    Forgery("crit that is empty", {"crit": []}, by="own"),
    Forgery("b64 false", {"b64": False}, by="own"),
    *(Forgery(f"exp {e!r}", claims={"exp": e}, by="own") for e in _TIMES),
    Forgery("exp an hour ago", claims={"exp": "@-3600"}, by="own"),
    *(Forgery(f"nbf {n!r}", claims={"nbf": n}, by="own") for n in (32503680000, "@+3600")),
    *(Forgery(f"aud {a!r}", claims={"aud": a}, by="own") for a in (
        "another", "", None, [], ["another", "third"], "TINY-API", "tiny-api ", "tiny", 7,
        {"tiny-api": 1}, [["tiny-api"]],
    )),
    *(Forgery(f"iss {i!r}", claims={"iss": i}, by="own") for i in (
        "https://evil.example", None, "", "https://auth.tiny.example/", "HTTPS://AUTH.TINY.EXAMPLE", 7,
        ["https://auth.tiny.example"], "https://rsa.example", "urn:shoal:keys:tiny",
    )),
    Forgery("signature empty", by="nothing"),
    Forgery("signature stripped", shape="{h}.{c}"),
    Forgery("a part too many", by="own", shape="{h}.{c}.{s}.x"),
    Forgery("five parts, as JWE", by="own", shape="{h}.{c}.{s}.{c}.{s}"),
    Forgery("one part", shape="{c}"),
    Forgery("dots only", shape=".."),
    Forgery("JWE header", {"alg": "RSA-OAEP", "enc": "A256GCM"}, by="own"),
    Forgery("dir with enc", {"alg": "dir", "enc": "A128GCM"}, by="nothing", shape="{h}..{c}.{c}.{c}"),
    Forgery("signature cut short", by="own cut"),
    Forgery("signature with a byte more", by="own long", authentic=True),
    Forgery("a kind that gives no access", {"typ": "logout+jwt"}, by="own", authentic=True),
    Forgery("no subject", claims={"sub": None}, by="own", authentic=True),
    Forgery("signature as DER", by="own der"),
    Forgery("signature of the claims before", claims={"sub": "root"}, by="own stale"),
    Forgery("signature of another header", {"typ": "at+jwt"}, by="own stale header"),
    Forgery("wrong curve", by="p384"),
    Forgery("wrong curve, said so", {"alg": "ES384"}, by="p384"),
    Forgery("ES512 said, ES256 signed", {"alg": "ES512"}, by="own"),
    Forgery("ES256K", {"alg": "ES256K"}, by="own"),
    Forgery("RS256 with the id of a curve's key", {"alg": "RS256"}, by="own"),
    Forgery("EdDSA with the id of a curve's key", {"alg": "EdDSA"}, by="own"),
    *(Forgery(f"psychic signature {pair}", by=f"pair {pair}") for pair in ("0 0", "0 1", "1 0", "n n", "n 0", "1 1")),
    Forgery("RS384 where RS256 is agreed", {**_RSA, "alg": "RS384"}, _OF_RSA, "rsa sha384"),
    Forgery("PS256 where RS256 is agreed", {**_RSA, "alg": "PS256"}, _OF_RSA, "rsa pss"),
    Forgery("a megabyte", claims={"pad": "x" * 700_000}, by="own"),
    Forgery("claims said twice", raw_claims='{"sub":"u1","sub":"root"}'),
    Forgery("claims are a list", raw_claims='["admin"]', by="own"),
    Forgery("claims are no JSON", raw_claims="{", by="own"),
    Forgery("claims are null", raw_claims="null", by="own"),
    Forgery("claims are empty", raw_claims=" ", by="own"),
    Forgery("header is a list", raw_header="[]", by="own"),
    Forgery("header is no JSON", raw_header="{alg:ES256}", by="own"),
    Forgery("claims nested without end", raw_claims="[" * 9000, by="own"),
    Forgery("base64 of the other alphabet", by="own", shape="{h}.{c}.+/{s}"),
    Forgery("padding", by="own", shape="{h}==.{c}==.{s}=="),
    Forgery("a blank within", by="own", shape="{h}. {c}.{s}"),
    Forgery("two tokens", by="own", value="Bearer {t}, Bearer {t}"),
    Forgery("a token and more", by="own", value="Bearer {t} {t}"),
    Forgery("Bearer twice", by="own", value="Bearer Bearer {t}"),
    Forgery("another scheme", by="own", value="Basic {t}"),
    Forgery("no scheme", by="own", value="{t}"),
    Forgery("as if it were a key", by="own", value="Bearer shoal_{t}"),
    Forgery("quoted", by="own", value='Bearer "{t}"'),
)  # fmt: skip


class Forger:
    """Makes tokens with the issuer's own key, a stranger's, or none."""

    def __init__(self, own: ECKey, rsa_key: RSAKey) -> None:
        self._own, self._rsa = own, rsa_key
        self._stranger = ec.generate_private_key(ec.SECP256R1())
        self._p384 = ec.generate_private_key(ec.SECP384R1())

    def value(self, forged: Forgery) -> str:
        """Return the whole ``Authorization`` header."""
        header = _changed({"alg": "ES256", "kid": "one", "typ": "JWT"}, self._filled(forged.header))
        claims = _changed(good(), self._filled(forged.claims))
        h, c = _part(forged.raw_header or header), _part(forged.raw_claims or claims)
        signed = h
        if forged.by.startswith("own stale"):
            stale = {"alg": "ES256", "kid": "one", "typ": "JWT"}
            signed = _part(stale)
            claimed = c if forged.by.endswith("header") else _part(good())
            token = forged.shape.format(h=h, c=c, s=_b64(self.signature("own", f"{signed}.{claimed}".encode())))
        else:
            token = forged.shape.format(h=h, c=c, s=_b64(self.signature(forged.by, f"{signed}.{c}".encode())))
        return forged.value.format(t=token)

    def good(self) -> str:
        """Return a header with a token as it ought to be."""
        return self.value(Forgery("good", by="own"))

    def signature(self, by: str, signed: bytes) -> bytes:
        """Sign as the table says."""
        kind, _, rest = by.partition(" ")
        if kind == "nothing":
            return b""
        if kind == "hmac":
            names = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}
            alg = json.loads(base64.urlsafe_b64decode(signed.split(b".")[0] + b"==")).get("alg")
            return hmac.digest(self._secret(rest), signed, names.get(alg, hashlib.sha256)().name)
        if kind == "pair":
            r, s = ({"n": N}.get(n) or int(n.replace("n", "0")) for n in rest.split())
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if kind == "rsa":
            return self._rsa_signature(rest, signed)
        key = {"own": self._own.private_key, "stranger": self._stranger, "p384": self._p384}[kind]
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        der = key.sign(signed, ec.ECDSA(hashes.SHA384() if kind == "p384" else hashes.SHA256()))
        raw = _raw(der, key.curve.key_size // 8)
        return {"der": der, "cut": raw[:-8], "long": raw + b"\x00"}.get(rest, raw)

    def _rsa_signature(self, how: str, signed: bytes) -> bytes:
        key = self._rsa.private_key
        assert isinstance(key, rsa.RSAPrivateKey)
        if how == "pss":
            return key.sign(signed, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        return key.sign(signed, padding.PKCS1v15(), hashes.SHA384())

    def _secret(self, name: str) -> bytes:
        if name.startswith("="):
            return name[1:].encode()
        if name == "jwks":
            return json.dumps({"keys": [self._own.as_dict(private=False)]}).encode()
        which, form = name.split(" ")
        key: ECKey | RSAKey = self._own if which == "ec" else self._rsa
        public = key.public_key
        if form == "pem":
            return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        if form == "der":
            return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        if form == "pkcs1":
            return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
        plain = key.as_dict(private=False)
        return json.dumps(plain).encode() if form == "jwk" else str(plain[form]).encode()

    def _filled(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Fill in what only exists while the test runs."""
        return {name: self._fill(value) for name, value in changes.items()}

    def _fill(self, value: Any) -> Any:
        if isinstance(value, dict):
            numbers = self._stranger.public_key().public_numbers()
            point = {"@x": numbers.x, "@y": numbers.y}
            return {k: _b64(point[v].to_bytes(32, "big")) if v in point else v for k, v in value.items()}
        if value == "@rsa":
            return self._rsa.kid
        if isinstance(value, str) and value[:2] in ("@+", "@-"):
            return int(time.time()) + int(value[1:])
        return value


def good() -> dict[str, Any]:
    """Return claims that open everything that tokens open."""
    return {"iss": ISSUER.name, "aud": ISSUER.audience, "sub": "u1", "exp": int(time.time()) + 600, **ALL}


def _changed(whole: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (whole | dict(changes)).items() if value is not None}


def _part(value: dict[str, Any] | str) -> str:
    return _b64((value if isinstance(value, str) else json.dumps(value)).encode())


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(der: bytes, size: int) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")
