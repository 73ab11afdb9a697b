"""Identities are SPIFFE SVIDs of one authority."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from shoal.mesh.certificates import Credential, Issuance, authority, identity

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
ISSUANCE = Issuance(now=NOW, validity=dt.timedelta(hours=24), new_key=lambda: ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture(scope="module")
def root() -> Credential:
    return authority("tiny", ISSUANCE)


def read(credential: Credential) -> x509.Certificate:
    return x509.load_pem_x509_certificate(credential.certificate.encode())


def test_a_leaf_says_who_it_is_for_a_day(root: Credential) -> None:
    leaf = read(identity(root, "spiffe://tiny/orders", ISSUANCE))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [name.value for name in names] == ["spiffe://tiny/orders"]
    assert leaf.not_valid_before_utc == NOW - dt.timedelta(seconds=60)
    assert leaf.not_valid_after_utc == NOW + dt.timedelta(hours=24)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)


def test_a_leaf_is_signed_by_its_authority_alone(root: Credential) -> None:
    leaf = read(identity(root, "spiffe://tiny/orders", ISSUANCE))
    leaf.verify_directly_issued_by(read(root))
    with pytest.raises(Exception, match=r"^$"):  # cryptography says InvalidSignature without words
        leaf.verify_directly_issued_by(read(authority("tiny", ISSUANCE)))


def test_the_authority_signs_leaves_only(root: Credential) -> None:
    constraints = read(root).extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)
    assert read(root).extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_serials_differ(root: Credential) -> None:
    serials = {read(identity(root, "spiffe://tiny/orders", ISSUANCE)).serial_number for _ in range(5)}
    assert len(serials) == 5


def test_a_key_is_not_printed(root: Credential) -> None:
    assert "PRIVATE" in root.key
    assert "PRIVATE" not in repr(root)
