"""Personal fields of events: sealed when they are announced, read by who hears them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import msgspec

from shoal.drivers.base import Session, Store
from shoal.errors import DeclarationError
from shoal.runtime.privacy import sealed
from shoal.runtime.privacy.lending import Borrower
from shoal.runtime.privacy.vault import DataKey, Need, Vault, sealing, unsealing
from shoal.service import codec
from shoal.service.declare import Service
from shoal.service.marks import event_mark
from shoal.service.personal import PersonalField, personal_fields


class EventSeal:
    """Seals the personal fields of one event."""

    def __init__(self, system: str, kind: type) -> None:
        mark = event_mark(kind)
        self._id, self._fields = mark.id, personal_fields(kind, mark.key)
        self._owner = owner(system, mark.name)

    def needs(self, event: object) -> list[Need]:
        """Say which keys are needed."""
        return [(_person(event, field), self._id) for field in self._present(event)]

    def data(self, event: object, keys: Mapping[Need, DataKey | None]) -> bytes:
        """Write an event's data."""
        plain: dict[str, Any] = codec.to_plain(event)
        for field in self._present(event):
            key = keys[_person(event, field), self._id]
            place = f"{self._id}\n{field.wire}"
            plain[field.wire] = sealing(self._owner, place, key, plain[field.wire]) if key else sealed.GONE
        return codec.encode(plain)

    def _present(self, event: object) -> list[PersonalField]:
        return [field for field in self._fields if getattr(event, field.name) is not None]


class Opener:
    """Unseals the events that a service hears."""

    def __init__(self, system: str, service: Service, vault: Vault, store: Store, borrower: Borrower) -> None:
        self._system, self._service = system, service.name
        self._vault, self._store, self._borrower = vault, store, borrower
        self._fields = heard_fields(service)

    async def open(self, events: Sequence[tuple[str, bytes]], within: Session | None = None) -> list[bytes]:
        """Unseal the data of some events, each with its id; keys that are not here are borrowed from their owners.

        Args:
            events: Ids and data.
            within: A session of the store itself, in which keys are read and kept; one of their own when None.

        Raises:
            Unavailable: An owner does not lend.
        """
        plain = [msgspec.json.decode(data) for _, data in events]
        wanted: dict[str, list[str]] = {}
        for (id_, _), values in zip(events, plain, strict=True):
            wanted.setdefault(id_, []).extend(self._keys_of(id_, values))
        keys = await self._keys(wanted, within)
        return [self._opened(id_, data, values, keys) for (id_, data), values in zip(events, plain, strict=True)]

    async def _keys(self, wanted: Mapping[str, Sequence[str]], within: Session | None) -> dict[str, DataKey]:
        ids = [id_ for found in wanted.values() for id_ in found]
        if not ids:
            return {}
        async with self._session(within) as session:
            keys = await self._vault.for_reading(session, ids, {})
        for event, some in wanted.items():
            lacking = [id_ for id_ in dict.fromkeys(some) if id_ not in keys]
            if lacking and owner_of(event) != self._service:
                lent = await self._borrower.borrow(event, lacking)
                async with self._session(within) as session:
                    kept = await self._vault.keep(session, lent)
                keys |= kept
        return keys

    def _session(self, within: Session | None) -> AbstractAsyncContextManager[Session]:
        return self._store.session() if within is None else nullcontext(within)

    def _keys_of(self, id_: str, values: Any) -> list[str]:
        texts = [values.get(field.wire) for field in self._fields.get(id_, ()) if isinstance(values, dict)]
        read = [sealed.read(str(text)) for text in texts if sealed.is_sealed(text)]
        return [found.key for found in read if found is not None]

    def _opened(self, id_: str, data: bytes, values: Any, keys: Mapping[str, DataKey]) -> bytes:
        changed = False
        for field in self._fields.get(id_, ()):
            text = values.get(field.wire) if isinstance(values, dict) else None
            if sealed.is_sealed(text):
                place, erased = f"{id_}\n{field.wire}", codec.to_plain(field.erased)
                values[field.wire] = unsealing(owner(self._system, id_), place, keys, str(text), erased)
                changed = True
        return msgspec.json.encode(values) if changed else data


def heard_fields(service: Service) -> dict[str, tuple[PersonalField, ...]]:
    """Collect the personal fields of every event that a service hears, by the event's id; older versions too."""
    kinds = [(s.event, s.kind) for s in service.subscriptions]
    kinds += [(c.event, c.kind) for s in service.subscriptions for c in s.chains]
    hearings = [hearing for projection in service.projections for hearing in projection.hearings]
    kinds += [(h.event, h.kind) for h in hearings] + [(c.event, c.kind) for h in hearings for c in h.chains]
    found = {mark.id: event_fields(kind) for mark, kind in kinds}
    return {id_: fields for id_, fields in found.items() if fields}


def event_fields(kind: type) -> tuple[PersonalField, ...]:
    """List the personal fields of an event, and refuse those that no event can have."""
    mark = event_mark(kind)
    found = personal_fields(kind, mark.key)
    for field in found:
        if field.find:
            raise DeclarationError(
                f"{kind.__name__}.{field.name} is to be found, but events are not looked up",
                hint="leave out find=True",
                where=mark.source,
            )
    return found


def owner_of(event: str) -> str:
    """Name the service that owns an event."""
    return event.partition(".")[0]


def owner(system: str, event: str) -> str:
    """Name what the ciphertexts of an event are bound to."""
    return f"{system}\n{owner_of(event)}"


def _person(event: object, field: PersonalField) -> str:
    return str(getattr(event, field.of))
