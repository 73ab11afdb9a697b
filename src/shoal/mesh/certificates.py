"""The authority of a system and the identities it signs (X.509-SVID)."""

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shoal.model.tls import is_address

KeySource = Callable[[], ec.EllipticCurvePrivateKey]
"""Gives a new P-256 key each time."""

BACKDATE = dt.timedelta(seconds=60)
"""How long before now a certificate is already valid, for clocks that differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A certificate and its private key, both PEM."""

    certificate: str
    key: str

    def __repr__(self) -> str:
        """Leave out the key."""
        return f"Credential(certificate={self.certificate!r}, key='***')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """What a certificate is made from besides its subject."""

    now: dt.datetime
    """The present, with its time zone."""
    validity: dt.timedelta
    new_key: KeySource


def authority(system: str, issuance: Issuance) -> Credential:
    """Make the root of trust of `system`; it signs leaves only."""
    key = issuance.new_key()
    name = _name(f"{system} authority")
    builder = _builder(name, name, key.public_key(), issuance)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([_uri(f"spiffe://{system}")]), critical=False)
    return _signed(builder, key, key)


def identity(root: Credential, spiffe_id: str, issuance: Issuance) -> Credential:
    """Make the certificate of `spiffe_id`, for both ends of a connection, signed by `root`."""
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return _leaf(root, spiffe_id.rpartition("/")[2], [_uri(spiffe_id)], both, issuance)


def edge(root: Credential, names: Sequence[str], issuance: Issuance) -> Credential:
    """Make a certificate for the host names and addresses by which clients from outside know the edge."""
    found = [x509.IPAddress(ipaddress.ip_address(n)) if is_address(n) else x509.DNSName(n) for n in names]
    return _leaf(root, names[0], found, [ExtendedKeyUsageOID.SERVER_AUTH], issuance)


def _leaf(
    root: Credential,
    common: str,
    names: Sequence[x509.GeneralName],
    purposes: Sequence[x509.ObjectIdentifier],
    issuance: Issuance,
) -> Credential:
    """Make a certificate that signs no others, for these names and purposes."""
    signer, issuer = _authority(root)
    key = issuance.new_key()
    builder = _builder(_name(common), issuer.subject, key.public_key(), issuance)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    known = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return _signed(builder.add_extension(known, critical=False), key, signer)


def _authority(root: Credential) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    signer = serialization.load_pem_private_key(root.key.encode(), password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is not on an elliptic curve")
    return signer, x509.load_pem_x509_certificate(root.certificate.encode())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, issuance: Issuance
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(_serial(key, issuance.now))
        .not_valid_before(issuance.now - BACKDATE)
        .not_valid_after(issuance.now + issuance.validity)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _serial(key: ec.EllipticCurvePublicKey, now: dt.datetime) -> int:
    """Derive a serial from the key and the time: unique as they are, and no randomness of our own."""
    encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.sha256(encoded + now.isoformat().encode()).digest()
    return int.from_bytes(digest[:19], "big") + 1  # positive, at most 20 octets (RFC 5280, 4.1.2.2)


def _signed(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> Credential:
    certificate = builder.sign(signer, hashes.SHA256())
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Credential(certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(), key=encoded.decode())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _uri(value: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(value)
