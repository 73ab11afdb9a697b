"""How long things are kept: what one part may bring back, another must still know."""

from datetime import timedelta

from shoal.drivers.base import Stream
from shoal.runtime.consuming.attempts import KEPT
from shoal.runtime.consuming.item import TOO_OLD
from shoal.runtime.relay import WINDOW

AGE = timedelta(seconds=Stream(name="S", subjects=()).age)
"""For so long a stream keeps an event."""


def test_whatever_a_stream_still_holds_can_be_published_again() -> None:
    assert timedelta() < AGE <= WINDOW


def test_a_mark_is_kept_for_as_long_as_its_event_is_handled() -> None:
    assert TOO_OLD <= WINDOW


def test_what_became_of_a_message_is_known_for_longer_than_its_stream_keeps_it() -> None:
    assert KEPT > AGE
