"""A token that differs in anything from what was signed is refused, and nothing but a refusal comes of it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.tokens import Foreign, Refused, Verifier, can_verify, make_key, peek

ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\x00\xff{"é'

GOOD = {
    algorithm: (signer.sign({"iss": "i", "aud": "a", "sub": "ann", "exp": 100}), signer.public)
    for algorithm in ("RS256", "ES256", "EdDSA")
    for signer in (Foreign(algorithm),)
}


def verifier(algorithm: str) -> Verifier:
    keys = msgspec.json.encode({"keys": [GOOD[algorithm][1]]})
    return Verifier(keys, issuer="i", audience="a", algorithms=(algorithm,))


VERIFIERS = {algorithm: verifier(algorithm) for algorithm in GOOD}


@pytest.mark.parametrize("algorithm", GOOD)
@given(data=st.data())
def test_a_changed_token_is_refused(algorithm: str, data: st.DataObject) -> None:
    good, _ = GOOD[algorithm]
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 4)))
    changed = good[:start] + data.draw(st.text(ALPHABET, max_size=4)) + good[end:]
    if changed == good:
        assert VERIFIERS[algorithm].verify(changed, 50)["sub"] == "ann"
    else:
        with pytest.raises(Refused):
            VERIFIERS[algorithm].verify(changed, 50)


@pytest.mark.parametrize("signed", GOOD)
@pytest.mark.parametrize("agreed", GOOD)
def test_no_algorithm_stands_for_another(signed: str, agreed: str) -> None:
    token = GOOD[signed][0]
    if signed == agreed:
        assert VERIFIERS[agreed].verify(token, 50)
    else:
        with pytest.raises(Refused):
            VERIFIERS[agreed].verify(token, 50)


@given(text=st.text())
def test_any_text_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(Refused):
        peek(text)


@given(jwks=st.binary())
def test_any_bytes_are_a_key_set_or_not(jwks: bytes) -> None:
    assert can_verify(jwks, ("ES256",)) is False


def test_keys_begin_so_that_scanners_find_them() -> None:
    key, public = make_key("x", "issuer", expires=100)
    assert key.startswith("shoal_ey")
    assert "d" not in public
