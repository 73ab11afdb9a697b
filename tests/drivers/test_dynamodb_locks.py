"""DynamoDB's locks, which have no clock: who is dead, who is alive, and what is still whose."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from shoal.drivers.aws.client import AwsClient, AwsRefusal
from shoal.drivers.base.documents.engine import Engine
from shoal.drivers.base.documents.locks import LIFE, Keeper
from shoal.drivers.dynamodb import asking, places
from shoal.drivers.dynamodb.locks import Locks
from shoal.errors import Unavailable
from tests.drivers.scripted_dynamo import FAILED, FINE, LOST, Answer, Client, canceled


def held(owner: str, beat: str) -> AwsRefusal:
    lock = {"o": {"S": owner}, "b": {"S": beat}, "d": {"N": "8.0"}, "l": {"S": "name"}}
    return AwsRefusal("taking", {"Error": {"Code": asking.CONDITION}, "Item": lock})


def life(beat: str) -> Mapping[str, Any]:
    return {"Item": {"o": {"S": "other"}, "b": {"S": beat}}} if beat else {}


async def test_a_lock_is_dead_once_its_beat_was_the_same_for_as_long_as_it_was_promised() -> None:
    now = 100.0
    looks: list[tuple[Answer, Answer]] = [(held("other", "a"), life(beat)) for beat in ("", "", "1", "2", "2")]
    client = Client(*(answer for look in looks for answer in look), {}, {})
    locks = Locks(asking.Desk(cast("AwsClient", client), "t"), clock=lambda: now)
    for passing in (0.0, 7.9, 7.9, 7.9):  # each sign of life is another beat
        now += passing
        assert await locks.take("name", "me", 8.0) == "other"
    now += 8.0
    assert await locks.take("name", "me", 8.0) == "me"
    freed, alive = cast("tuple[Any, Any]", client.asked[-2][1]["TransactItems"])
    assert freed["Delete"]["ExpressionAttributeValues"] == {":o": {"S": "other"}, ":b": {"S": "a"}}
    assert alive["ConditionCheck"]["ExpressionAttributeValues"] == {":b": {"S": "2"}}
    assert alive["ConditionCheck"]["Key"] == places.life("other").key


async def test_a_lock_whose_owner_lives_when_it_is_taken_over_stays_its_own() -> None:
    now = 100.0
    look: list[Answer] = [held("other", "a"), life("1")]
    client = Client(*look, *look, canceled(FINE, FAILED), held("other", "a"), life("2"))
    locks = Locks(asking.Desk(cast("AwsClient", client), "t"), clock=lambda: now)
    assert await locks.take("name", "me", 8.0) == "other"
    now += 9.0
    assert await locks.take("name", "me", 8.0) == "other"
    assert client.answers == []
    assert await locks.renew(["me"], 8.0) == []


async def test_one_sign_of_life_renews_all_locks_of_an_owner_and_tells_which_are_still_its_own() -> None:
    client = Client({}, {}, {})
    locks = Locks(asking.Desk(cast("AwsClient", client), "t"))
    for name in "abc":
        await locks.take(name, "me", 8.0)
    found = [{"l": {"S": name}, "o": {"S": owner}} for name, owner in (("a", "me"), ("b", "other"))]
    client.asked, client.answers = [], [{}, {"Responses": {"t": found}}]
    assert await locks.renew(["me"], 8.0) == ["a"]
    assert [operation for operation, _ in client.asked] == ["put_item", "batch_get_item"]
    client.asked, client.answers = [], [{}, {"Item": found[0]}]
    assert await locks.renew(["me"], 8.0) == ["a"]  # the others are asked for no more


async def test_locks_that_a_commit_frees_while_they_are_renewed_are_nobodys() -> None:
    class Freeing(Client):
        async def ask(self, operation: str, **words: Any) -> Mapping[str, Any]:
            if operation == "put_item":
                locks.ended("me", ["name"])
            return await super().ask(operation, **words)

    client = Freeing()
    locks = Locks(asking.Desk(cast("AwsClient", client), "t"))
    await locks.take("name", "me", 8.0)
    assert await locks.renew(["me"], 8.0) == []


async def test_locks_are_renewed_whatever_a_driver_raised_before(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Renewing:
        def __init__(self) -> None:
            self.failures, self.done = [KeyError("a bug")], asyncio.Event()

        async def renew(self, owners: Sequence[str], seconds: float) -> Sequence[str]:
            assert (owners, seconds) == (["me"], LIFE)
            if self.failures:
                raise self.failures.pop()
            self.done.set()
            return []

    monkeypatch.setattr("shoal.drivers.base.documents.locks.BEAT", 0.001)
    keeper = Keeper(cast("Engine", renewing := Renewing()))
    keeper.keep("me")
    async with asyncio.timeout(10):
        await renewing.done.wait()
    keeper.close()
    assert "a bug" in caplog.text


async def test_a_lock_that_is_held_for_long_is_kept_from_expiry() -> None:
    now = 100.0
    client = Client()
    locks = Locks(asking.Desk(cast("AwsClient", client), "t"), clock=lambda: now)
    await locks.take("name", "me", 8.0)
    now += 13 * 3600
    client.asked, client.answers = [], [{}, {}, {"Item": {"l": {"S": "name"}, "o": {"S": "me"}}}]
    assert await locks.renew(["me"], 8.0) == ["name"]
    assert [operation for operation, _ in client.asked] == ["put_item", "update_item", "get_item"]


async def test_a_lock_whose_answer_was_lost_is_freed_with_the_others() -> None:
    client = Client(LOST)
    locks = Locks(asking.Desk(cast("AwsClient", client), "t"))
    with pytest.raises(Unavailable):
        await locks.take("name", "me", 8.0)
    await locks.release("me")
    assert client.asked[-1][0] == "delete_item"
