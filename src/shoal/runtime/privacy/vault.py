"""The keys of one service: one data key for each person and scope, wrapped, made at first use, gone with the person."""

import base64
import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec

from shoal.drivers.base import KeyRing, Query, Row, Session, Store, Wrapped
from shoal.drivers.base.cipher import Unreadable, new_key, seal, unseal
from shoal.errors import Contended, EngineError
from shoal.runtime.privacy import sealed
from shoal.runtime.privacy.tables import ERASED, KEYS, WRAPPING
from shoal.service import codec
from shoal.service.context import Clock

CACHED = 10_000
"""Data keys that a process remembers."""

FRESH = 60.0
"""Seconds for which it does: so long after an erasure another process of the service may still read."""

OWN = "shoal\nwrapping keys"
"""Claimed by who makes or wraps keys of the service's own."""

LONGEST = 3600.0
"""Seconds in which a transaction that wraps a key must commit. Until then it is not seen by who renews keys."""

KEPT = 24 * LONGEST
"""Seconds for which a wrapping key stays after there is a newer one, so that nobody can still be wrapping with it."""

Need = tuple[str, str]
"""Person and scope that a key is needed for."""


class DataKey(msgspec.Struct, frozen=True, kw_only=True):
    """The key of one person in one scope."""

    id: str
    subject: str
    scope: str
    secret: bytes

    def __repr__(self) -> str:
        """Show nothing of the secret."""
        return f"DataKey(id={self.id!r})"


Found = dict[Need, DataKey | None]
"""Keys by what they are needed for; None for a person who was erased."""


class Vault:
    """Makes, keeps and forgets the keys of one service."""

    def __init__(self, system: str, service: str, ring: KeyRing, clock: Clock, now: Callable[[], float]) -> None:
        self._name, self.ring, self._clock, self._now = f"{system}\n{service}", ring, clock, now
        self._wrapping: dict[str, bytes] = {}
        self._find = b""
        self._cache: OrderedDict[str, tuple[DataKey, float]] = OrderedDict()
        self._latest: dict[Need, str] = {}

    async def open(self, store: Store) -> None:
        """Read the service's own keys, and make them at the first start."""
        async with store.session() as session:
            await session.claim(OWN)
            await self._load(session)
            purposes = {str(row["purpose"]) for row in await session.find(WRAPPING.table, Query())}
            for purpose in ("wrap", "find"):
                if purpose not in purposes:
                    await self.add(session, purpose)

    async def read(self, store: Store) -> None:
        """Read those of the service's own keys that there are."""
        async with store.session() as session:
            await self._load(session)

    async def add(self, session: Session, purpose: str) -> str:
        """Make a key of the service's own, and return its id."""
        id_, secret = _name(), new_key()
        wrapped = await self.ring.wrap(secret, self._own(id_, purpose))
        row = {
            "id": id_,
            "purpose": purpose,
            "under": wrapped.under,
            "wrapped": wrapped.blob,
            "made": self._clock.now(),
        }
        session.insert(WRAPPING.table, row)
        self._know(id_, purpose, secret)
        return id_

    async def rewrap(self, session: Session, ring: KeyRing | None = None) -> int:
        """Wrap every key of the service's own under the newest of the ring, or of another; the keys stay."""
        await self._load(session)
        rows = await session.find(WRAPPING.table, Query())
        for row in rows:
            id_, purpose = str(row["id"]), str(row["purpose"])
            wrapped = await (ring or self.ring).wrap(self._wrapping[id_], self._own(id_, purpose))
            session.put(WRAPPING.table, {**row, "under": wrapped.under, "wrapped": wrapped.blob})
        return len(rows)

    async def are_in(self, ring: KeyRing, session: Session) -> bool:
        """Tell whether another ring opens every key of the service's own."""
        rows = await session.find(WRAPPING.table, Query())
        try:
            for row in rows:
                wrapped = Wrapped(under=str(row["under"]), blob=_bytes(row["wrapped"]))
                await ring.unwrap(wrapped, self._own(str(row["id"]), str(row["purpose"])))
        except EngineError:
            return False
        return bool(rows)

    async def _load(self, session: Session) -> None:
        for row in await session.find(WRAPPING.table, Query()):
            id_, purpose = str(row["id"]), str(row["purpose"])
            if id_ not in self._wrapping:
                wrapped = Wrapped(under=str(row["under"]), blob=_bytes(row["wrapped"]))
                self._know(id_, purpose, await self.ring.unwrap(wrapped, self._own(id_, purpose)))

    def _know(self, id_: str, purpose: str, secret: bytes) -> None:
        self._wrapping[id_] = secret
        if purpose == "find":
            self._find = secret

    def _own(self, id_: str, purpose: str) -> str:
        return f"{self._name}\nwrapping\n{purpose}\n{id_}"

    async def for_sealing(
        self, session: Session, needs: Collection[Need], made: dict[Need, DataKey], sure: Collection[Need] = ()
    ) -> Found:
        """Find or make a key for each need; None for a person who was erased.

        Args:
            session: Where keys that are made are written; they count once it has committed.
            needs: What keys are needed for.
            made: Keys that this transaction has made already; what it makes now is added.
            sure: Needs for which it must be sure that the person is not being erased: what is remembered does not
                count, and an erasure waits for the commit.
        """
        found: Found = {}
        for need in needs:
            known = made.get(need) or (None if need in sure else self._cached(self._latest.get(need, "")))
            if known is not None:
                found[need] = known
        if lacking := [need for need in dict.fromkeys(needs) if need not in found]:
            for subject in sorted({need[0] for need in lacking if need in sure}):
                await session.claim(_claim(subject))
            found |= await self._stored(session, lacking, made)
            if lacking := sorted(need for need in lacking if need not in found):
                found |= await self._made(session, lacking, made)
        return found

    async def _stored(self, session: Session, needs: Collection[Need], made: Mapping[Need, DataKey]) -> Found:
        """Read the keys that there are for some needs, and who of the persons was erased."""
        subjects, scopes = tuple({subject for subject, _ in needs}), tuple({scope for _, scope in needs})
        rows = await session.find(KEYS.table, Query(where={"subject": subjects, "scope": scopes}))
        found: Found = {}
        for key in await self.unwrapped(session, rows):
            self._remember_unless(key, made)
            found[key.subject, key.scope] = key
        gone = {str(row["subject"]) for row in await session.find(ERASED.table, Query(where={"subject": subjects}))}
        return found | {need: None for need in needs if need[0] in gone}

    async def _made(
        self, session: Session, needs: Collection[Need], made: dict[Need, DataKey]
    ) -> dict[Need, DataKey | None]:
        """Make keys, one transaction at a time for each person; one that erases the person is met before or after."""
        for subject in sorted({subject for subject, _ in needs}):
            await session.claim(_claim(subject))
        found = await self._stored(session, needs, made)
        lacking = [need for need in needs if need not in found]
        under = await self._current(session) if lacking else ""
        for subject, scope in lacking:
            key = DataKey(id=_name(), subject=subject, scope=scope, secret=new_key())
            session.insert(KEYS.table, self.row(key, under))
            found[subject, scope] = made[subject, scope] = key
        return found

    async def _current(self, session: Session) -> str:
        """Tell the newest wrapping key, which another process may have made."""
        rows = await session.find(WRAPPING.table, Query(where={"purpose": "wrap"}, order=("-made",), limit=1))
        newest = str(rows[0]["id"])
        if newest not in self._wrapping:
            await self._load(session)
        return newest

    async def for_reading(
        self, session: Session, ids: Iterable[str], made: Mapping[Need, DataKey], *, remember: bool = True
    ) -> dict[str, DataKey]:
        """Find keys by their ids; those that are gone are left out. A session that may lag has nothing to remember."""
        own = {key.id: key for key in made.values()}
        found, lacking = {}, []
        for id_ in dict.fromkeys(ids):
            known = own.get(id_) or self._cached(id_)
            if known is None:
                lacking.append(id_)
            else:
                found[id_] = known
        if lacking:
            rows = await session.find(KEYS.table, Query(where={"id": tuple(lacking)}))
            for key in await self.unwrapped(session, rows):
                if remember:
                    self._remember_unless(key, made)
                found[key.id] = key
        return found

    async def keep(self, session: Session, keys: Iterable[DataKey]) -> dict[str, DataKey]:
        """Keep keys that were lent by others, but for persons who were erased here; return those kept."""
        lent = {key.id: key for key in keys}
        for subject in sorted({key.subject for key in lent.values()}):
            await session.claim(_claim(subject))
        subjects = tuple({key.subject for key in lent.values()})
        gone = {str(row["subject"]) for row in await session.find(ERASED.table, Query(where={"subject": subjects}))}
        kept = {id_: key for id_, key in lent.items() if key.subject not in gone}
        under = await self._current(session)
        for key in kept.values():
            session.put(KEYS.table, self.row(key, under))
        return kept

    def row(self, key: DataKey, under: str) -> Row:
        """Spell a key as it is kept, wrapped under a key of the service's own."""
        wrapped = seal(self._wrapping[under], key.secret, self._place(key.id, key.subject, key.scope))
        return {"id": key.id, "subject": key.subject, "scope": key.scope, "under": under, "wrapped": wrapped}

    async def unwrapped(self, session: Session, rows: Iterable[Row]) -> list[DataKey]:
        """Read keys from their rows."""
        found = []
        for row in rows:
            under, id_ = str(row["under"]), str(row["id"])
            if under not in self._wrapping:
                await self._load(session)
            subject, scope = str(row["subject"]), str(row["scope"])
            try:
                secret = unseal(self._wrapping[under], _bytes(row["wrapped"]), self._place(id_, subject, scope))
            except (KeyError, Unreadable):
                raise EngineError(
                    f"the data key {id_} cannot be unwrapped",
                    hint="does the key ring belong to this store? bring both back from the same time",
                ) from None
            found.append(DataKey(id=id_, subject=subject, scope=scope, secret=secret))
        return found

    def _place(self, id_: str, subject: str, scope: str) -> str:
        return f"{self._name}\ndata\n{scope}\n{subject}\n{id_}"

    def _cached(self, id_: str) -> DataKey | None:
        found = self._cache.get(id_)
        if found is None or found[1] < self._now():
            return None
        self._cache.move_to_end(id_)
        return found[0]

    def _remember_unless(self, key: DataKey, made: Mapping[Need, DataKey]) -> None:
        """Remember a key that was read, unless this transaction made it: it may yet be rolled back."""
        if made.get((key.subject, key.scope)) is None:
            self._remember(key)

    def _remember(self, key: DataKey) -> None:
        self._cache[key.id] = key, self._now() + FRESH
        self._latest[key.subject, key.scope] = key.id
        while len(self._cache) > CACHED:
            _, (old, _) = self._cache.popitem(last=False)
            self._latest.pop((old.subject, old.scope), None)

    def outlived(self, newer: Row) -> bool:
        """Tell whether a wrapping key's successor is so old that nobody can still be wrapping with the former."""
        return self._clock.now() - cast("datetime", newer["made"]) > timedelta(seconds=KEPT)

    def timely(self, began: float) -> None:
        """Refuse to commit keys after so long that what wraps them may be gone; raises `Contended`."""
        if self._now() - began > LONGEST:
            raise Contended(
                f"a transaction with new keys of persons took more than {LONGEST:g} s",
                hint="do less in one transaction",
            )

    def now(self) -> float:
        """Return seconds that only ever grow."""
        return self._now()

    def committed(self, made: Mapping[Need, DataKey]) -> None:
        """Learn that the transaction which made some keys has committed."""
        for key in made.values():
            self._remember(key)

    def forget(self, subject: str) -> None:
        """Let go of what is remembered of a person."""
        for key, _ in [entry for entry in self._cache.values() if entry[0].subject == subject]:
            del self._cache[key.id]
            self._latest.pop((subject, key.scope), None)

    async def erase(self, session: Session, subject: str) -> int:
        """Remove every key of a person, for ever; return how many there were."""
        await session.claim(_claim(subject))
        rows = await session.find(KEYS.table, Query(where={"subject": subject}))
        for row in rows:
            session.delete(KEYS.table, row["id"])
        if await session.get(ERASED.table, subject) is None:
            session.put(ERASED.table, {"subject": subject, "at": self._clock.now(), "keys": 0, "records": 0})
        return len(rows)

    def hashed(self, place: str, value: object) -> str:
        """Hash a value that is to be found; without the service's key nobody can try values against it."""
        text = f"{self._name}\n{place}\n".encode() + codec.encode(value)
        return base64.urlsafe_b64encode(hmac.digest(self._find, text, hashlib.sha256)).decode()


def sealing(owner: str, place: str, key: DataKey, value: object) -> str:
    """Seal one value, bound to its owner, its place and its key."""
    return sealed.spell(key.id, seal(key.secret, codec.encode(value), f"{owner}\n{place}\n{key.id}"))


def unsealing(owner: str, place: str, keys: Mapping[str, DataKey], text: str, erased: Any) -> Any:
    """Read one value; `erased` when its key is gone, or never was the key of this place."""
    found = sealed.read(text)
    key = None if found is None else keys.get(found.key)
    if found is None or key is None:
        return erased
    try:
        return msgspec.json.decode(unseal(key.secret, found.blob, f"{owner}\n{place}\n{key.id}"))
    except Unreadable:
        raise EngineError(
            f"a sealed value at {place.replace(chr(10), '.')} is not what was sealed there",
            hint="it was changed or moved within the store; bring it back from a backup",
        ) from None


def _name() -> str:
    return base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")


def _claim(subject: str) -> str:
    return f"shoal\nsubject\n{subject}"


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else b""
