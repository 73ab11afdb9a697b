"""What every key ring keeps: what it wraps opens for its context alone, through renewals, renamings and outages."""

import base64
from typing import Protocol

import pytest

from shoal.drivers.base import KeyRing, Query, Wrapped
from shoal.drivers.base.pauses import Pauses
from shoal.drivers.memory import MemoryStore
from shoal.errors import EngineError, Unavailable
from shoal.runtime.clock import SystemClock
from shoal.runtime.privacy.rotation import move, renew, standing
from shoal.runtime.privacy.tables import WRAPPING
from shoal.runtime.privacy.vault import Vault
from tests.conformance.harness import soon

KEY = bytes(range(32))
PLACE = "shop\nusers\nwrapping\nwrap\nid"


class RingHarness(Protocol):
    """A ring with one key for the test."""

    def ring(self) -> KeyRing:
        """Open another connection, as another process would; the harness closes it."""
        ...

    def renamed(self) -> KeyRing:
        """Open another ring; or the same, by an address that names another key of the same place."""
        ...

    def version(self, wrapped: Wrapped) -> str:
        """Say under which version of which key something was wrapped."""
        ...


class FarHarness(RingHarness, Protocol):
    """A ring in another process."""

    async def leave(self) -> None:
        """Answer nobody any more."""
        ...

    async def come_back(self) -> None:
        """Answer again."""
        ...

    def refuse(self, times: int) -> None:
        """Be asked too much for so many requests."""
        ...


class RingContract:
    """Wrapping."""

    async def test_what_is_wrapped_opens_in_another_process(self, harness: RingHarness) -> None:
        one, other = harness.ring(), harness.ring()
        first, second = await one.wrap(KEY, PLACE), await one.wrap(KEY, PLACE)
        assert first.blob != second.blob
        assert KEY not in first.blob
        assert harness.version(first) == harness.version(second)
        assert await other.unwrap(first, PLACE) == await other.unwrap(second, PLACE) == KEY

    @pytest.mark.parametrize("place", ["", "shop\nusers\nwrapping\nwrap\nother", PLACE.replace("\n", "/")])
    async def test_it_opens_for_its_context_alone(self, harness: RingHarness, place: str) -> None:
        ring = harness.ring()
        wrapped = await ring.wrap(KEY, PLACE)
        with pytest.raises(EngineError) as refused:
            await ring.unwrap(wrapped, place)
        assert not isinstance(refused.value, Unavailable)

    async def test_what_was_changed_or_is_of_elsewhere_is_refused(self, harness: RingHarness) -> None:
        ring = harness.ring()
        wrapped = await ring.wrap(KEY, PLACE)
        changed = Wrapped(under=wrapped.under, blob=wrapped.blob[:-1] + bytes([wrapped.blob[-1] ^ 1]))
        for odd in (changed, Wrapped(under="elsewhere", blob=wrapped.blob), Wrapped(under=wrapped.under, blob=b"")):
            with pytest.raises(EngineError) as refused:
                await ring.unwrap(odd, PLACE)
            assert not isinstance(refused.value, Unavailable)

    async def test_no_key_is_ever_logged(self, harness: RingHarness, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(0)
        ring = harness.ring()
        wrapped = await ring.wrap(KEY, PLACE)
        assert await ring.unwrap(wrapped, PLACE) == KEY
        with pytest.raises(EngineError) as refused:
            await ring.unwrap(wrapped, "elsewhere")
        said = caplog.text + repr(refused.value) + str(refused.value)
        for text in (base64.b64encode(KEY).decode(), base64.urlsafe_b64encode(KEY).decode(), KEY.hex(), repr(KEY)):
            assert text.rstrip("=") not in said


class RenewalContract:
    """Renewals, in the ring and above it."""

    async def test_what_was_wrapped_before_a_renewal_still_opens(self, harness: RingHarness) -> None:
        ring, other = harness.ring(), harness.ring()
        wrapped = [await ring.wrap(KEY, PLACE)]
        for _ in range(2):
            await ring.renew()
            wrapped.append(await ring.wrap(KEY, PLACE))
        assert len({harness.version(one) for one in wrapped}) == 3
        for one in wrapped:
            assert await other.unwrap(one, PLACE) == KEY

    async def test_a_service_finds_its_keys_at_every_start(self, harness: RingHarness) -> None:
        store = MemoryStore()
        await store.open()
        first = vault(harness.ring())
        await first.open(store)
        sealed = first.hashed("place", "value")
        before = {harness.version(one) for one in await own(store)}
        await renew(vault(harness.ring()), store)
        after = {harness.version(one) for one in await own(store)}
        assert len(after) == 1
        assert not before & after
        again = vault(harness.ring())
        await again.open(store)
        assert again.hashed("place", "value") == sealed

    async def test_a_service_moves_to_another_key(self, harness: RingHarness) -> None:
        store = MemoryStore()
        await store.open()
        first = vault(harness.ring())
        await first.open(store)
        assert await move(vault(harness.ring()), harness.renamed(), store) == 2
        await move(vault(harness.ring()), harness.renamed(), store)  # a command that was broken off is given again
        again = vault(harness.renamed())
        await again.open(store)
        assert again.hashed("place", "value") == first.hashed("place", "value")
        assert (await standing(store)).wrapping == 1


class NameContract:
    """Rings whose keys have names."""

    async def test_what_was_wrapped_under_another_name_still_opens(self, harness: RingHarness) -> None:
        wrapped = await harness.ring().wrap(KEY, PLACE)
        renamed = harness.renamed()
        assert await renamed.unwrap(wrapped, PLACE) == KEY
        assert harness.version(await renamed.wrap(KEY, PLACE)) != harness.version(wrapped)


class OutageContract:
    """Rings that can be away."""

    async def test_who_is_away_loses_nothing(self, harness: FarHarness, monkeypatch: pytest.MonkeyPatch) -> None:
        store = MemoryStore()
        await store.open()
        ring = harness.ring()
        wrapped = await ring.wrap(KEY, PLACE)
        await harness.leave()
        with monkeypatch.context() as patched:
            patched.setattr(Pauses, "rest", no_patience)
            for attempt in (ring.unwrap(wrapped, PLACE), ring.wrap(KEY, PLACE), ring.renew(), vault(ring).open(store)):
                with pytest.raises(Unavailable):
                    await attempt
        assert await own(store) == []
        await harness.come_back()
        assert await ring.unwrap(wrapped, PLACE) == KEY
        await vault(ring).open(store)
        assert len(await own(store)) == 2

    async def test_who_is_asked_too_much_is_asked_again(self, harness: FarHarness) -> None:
        ring = harness.ring()
        harness.refuse(2)
        wrapped = await soon(ring.wrap(KEY, PLACE))
        harness.refuse(2)
        assert await soon(ring.unwrap(wrapped, PLACE)) == KEY
        harness.refuse(1)
        await soon(ring.renew())
        assert harness.version(await ring.wrap(KEY, PLACE)) != harness.version(wrapped)

    async def test_patience_ends(self, harness: FarHarness, monkeypatch: pytest.MonkeyPatch) -> None:
        ring = harness.ring()
        harness.refuse(1)
        monkeypatch.setattr(Pauses, "rest", no_patience)
        with pytest.raises(Unavailable):
            await ring.wrap(KEY, PLACE)


async def no_patience(_: Pauses) -> bool:
    return False


def vault(ring: KeyRing) -> Vault:
    return Vault("shop", "users", ring, SystemClock(), lambda: 0.0)


async def own(store: MemoryStore) -> list[Wrapped]:
    """Read how the service's own keys are wrapped."""
    async with store.session() as session:
        rows = await session.find(WRAPPING.table, Query())
    return [Wrapped(under=str(row["under"]), blob=bytes(row["wrapped"])) for row in rows]  # type: ignore[call-overload]
