import random

from bench.consumer.events import Books, again, announce
from shoal.runtime.envelope import unpack


def draw() -> random.Random:
    return random.Random(1)  # noqa: S311 - the same every time


def test_everybody_gets_the_same_orders() -> None:
    ours, theirs = Books(), Books()
    first, second = announce("a", 50, ours, draw()), announce("b", 50, theirs, draw())
    assert ours == theirs
    assert [message.key for message in first] == [message.key for message in second]
    assert ours.events == sum(ours.orders.values()) == 50


def test_a_repetition_is_another_message_with_the_same_event() -> None:
    messages = announce("a", 3, Books(), draw())
    repeated = again(messages)
    assert not {message.id for message in messages} & {message.id for message in repeated}
    assert [unpack(one).id for one in messages] == [unpack(one).id for one in repeated]
    assert [one.subject for one in messages] == [one.subject for one in repeated]
