"""Every key ring keeps the same contract: in memory, in a file, and those of the clouds, which are played here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shoal.drivers import open_key_ring
from shoal.drivers.base import KeyRing, Wrapped
from shoal.drivers.cloudkms.crc32c import crc32c
from shoal.drivers.keyfile.ring import FileKeyRing
from shoal.drivers.memory.keyring import MemoryKeyRing
from shoal.errors import DeclarationError, EngineError
from tests.conformance.harness import soon
from tests.conformance.keyring import KEY, NameContract, OutageContract, RenewalContract, RingContract
from tests.conformance.keyring import PLACE as HERE
from tests.drivers.awskms_played import PlayedKms as PlayedAws
from tests.drivers.cloudkms_played import PLACE
from tests.drivers.cloudkms_played import PlayedKms as PlayedGoogle
from tests.drivers.clouds_played import Played
from tests.drivers.keyvault_played import PlayedVault


class Near:
    """A ring of this machine."""

    def __init__(self, one: KeyRing, another: KeyRing) -> None:
        self._one, self._another = one, another

    def ring(self) -> KeyRing:
        return self._one

    def renamed(self) -> KeyRing:
        return self._another

    def version(self, wrapped: Wrapped) -> str:
        return wrapped.under


class Far:
    """A ring of a cloud, by the addresses of two of its keys."""

    def __init__(self, played: Played, url: str) -> None:
        self.played, self.url = played, url
        self.opened: list[KeyRing] = []

    def ring(self, url: str = "") -> KeyRing:
        self.opened.append(open_key_ring(url or self.url))
        return self.opened[-1]

    def renamed(self) -> KeyRing:
        return self.ring(self.url.replace("users", "people"))

    def version(self, wrapped: Wrapped) -> str:
        number = str(wrapped.blob[0]) if isinstance(self.played, PlayedAws) else ""
        return f"{wrapped.under} {number}"

    async def leave(self) -> None:
        await self.played.stop()

    async def come_back(self) -> None:
        await self.played.start()

    def refuse(self, times: int) -> None:
        self.played.refusals = times


@pytest_asyncio.fixture(name="aws")
async def _aws() -> AsyncIterator[Far]:
    async for far in running(PlayedAws(), "awskms://a:b@{}/alias/users?region=eu-central-1&tls=0"):
        yield far


@pytest_asyncio.fixture(name="azure")
async def _azure(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Far]:
    played = PlayedVault()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{played.place}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "it-is-us")
    async for far in running(played, "keyvault://{}/users?tls=0"):
        yield far


@pytest_asyncio.fixture(name="google")
async def _google(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Far]:
    played = PlayedGoogle()
    monkeypatch.setenv("GCE_METADATA_HOST", played.place)
    async for far in running(played, f"cloudkms://{{}}/{PLACE}/users?tls=0"):
        yield far


async def running(played: Played, url: str) -> AsyncIterator[Far]:
    far = Far(played, url.format(played.place))
    await played.start()
    yield far
    for ring in far.opened:
        await soon(ring.close())
    await played.stop()


@pytest.fixture(name="far")
def _far(request: pytest.FixtureRequest) -> Far:
    return far_of(request)


def far_of(request: pytest.FixtureRequest) -> Far:
    if request.param == "aws":
        pytest.importorskip("aiobotocore")
    found: Far = request.getfixturevalue(request.param)
    return found


class TestNear(RingContract, RenewalContract):
    @pytest.fixture(params=["memory", "file"])
    def harness(self, request: pytest.FixtureRequest, tmp_path: Path) -> Near:
        if request.param == "memory":
            return Near(MemoryKeyRing(), MemoryKeyRing())
        return Near(FileKeyRing(tmp_path / "ring.json"), FileKeyRing(tmp_path / "another.json"))


class TestFar(RingContract, RenewalContract, NameContract, OutageContract):
    @pytest.fixture(params=["aws", "azure", "google"])
    def harness(self, request: pytest.FixtureRequest) -> Far:
        return far_of(request)


async def test_a_key_of_kms_that_turns_already_is_waited_for(aws: Far) -> None:
    played = aws.played
    assert isinstance(played, PlayedAws)
    ring = aws.ring()
    key = played.aliases["alias/users"]
    played.turning[key] = 2
    assert await soon(ring.renew()) == key
    assert (played.turns, len(played.keys[key])) == (25, 2)
    played.turns = 0
    with pytest.raises(EngineError, match="LimitExceeded") as refused:
        await ring.renew()
    assert "privacy move" in refused.value.hint


@pytest.mark.parametrize(
    ("far", "under"),
    [
        ("aws", "arn:aws:kms:eu-central-1:999999999999:key/one"),
        ("aws", "arn:aws:kms:us-east-1:000000000000:key/one"),
        ("aws", "arn:aws:kms:eu-central-1:999999999999:key/mrk-two"),
        ("azure", "https://elsewhere.example.org/keys/users/a0"),
        ("azure", "users/../../secrets/a0"),
        ("google", "projects/theirs/locations/europe-west3/keyRings/shoal/cryptoKeys/users/cryptoKeyVersions/1"),
    ],
    indirect=["far"],
)
async def test_no_key_of_somebody_else_is_used(far: Far, under: str) -> None:
    """Who can write the store can write there what they like."""
    ring = far.ring()
    wrapped = await ring.wrap(KEY, HERE)
    before = far.played.requests
    with pytest.raises(EngineError, match="is none of"):
        await ring.unwrap(Wrapped(under=under, blob=wrapped.blob), HERE)
    assert far.played.requests <= before + isinstance(far.played, PlayedAws)  # which asks what our own key is called


async def test_a_key_of_several_regions_opens_in_each(aws: Far) -> None:
    ring = aws.renamed()
    wrapped = await ring.wrap(KEY, HERE)
    elsewhere = wrapped.under.replace("eu-central-1", "us-east-1")
    assert await aws.ring().unwrap(Wrapped(under=elsewhere, blob=wrapped.blob), HERE) == KEY


async def test_a_symmetric_key_of_a_managed_hsm_wraps_too(azure: Far) -> None:
    hsm = azure.ring(f"{azure.url}&algorithm=A256KW")
    wrapped = await hsm.wrap(KEY, HERE)
    assert await azure.ring().unwrap(wrapped, HERE) == KEY


@pytest.mark.parametrize("wrong", ["verifiedPlaintextCrc32c", "ciphertextCrc32c", "plaintextCrc32c"])
async def test_what_was_changed_on_its_way_is_asked_for_again(google: Far, wrong: str) -> None:
    assert isinstance(google.played, PlayedGoogle)
    google.played.wrong = wrong
    ring = google.ring()
    assert await soon(ring.unwrap(await ring.wrap(KEY, HERE), HERE)) == KEY
    assert not google.played.wrong, "the wrong field was never sent"


def test_the_checksum_is_the_documented_one() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


@pytest.mark.parametrize("far", ["azure", "google"], indirect=True)
async def test_a_token_is_asked_for_once_and_again_when_it_is_refused(far: Far) -> None:
    assert isinstance(far.played, PlayedVault | PlayedGoogle)
    ring = far.ring()
    wrapped = await ring.wrap(KEY, HERE)
    assert len(far.played.heard) == 1
    far.played.token = "another"
    assert await soon(ring.unwrap(wrapped, HERE)) == KEY
    assert len(far.played.heard) == 2


@pytest.mark.parametrize(
    "url",
    [
        "awskms:///?region=eu-central-1", "awskms://a@h/alias/users", "keyvault:///users", "keyvault://v.vault.azure.net/",
        "keyvault://v.vault.azure.net/a/b", "keyvault://v.vault.azure.net/users?algorithm=RSA1_5",
        "keyvault://v.vault.azure.net/users?tls=0", "cloudkms:///projects/p/cryptoKeys/k",
        "cloudkms:///" + PLACE + "/k?x=1", "cloudkms://open.example.org/" + PLACE + "/k?tls=0",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(DeclarationError):
        open_key_ring(url)
