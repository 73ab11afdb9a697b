"""Keep what Amazon's client says while it is debugged to itself, where requests and answers hold keys."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TALKERS = ("botocore", "aiobotocore")

_discreet: ContextVar[bool] = ContextVar("shoal_aws_discreet", default=False)


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Let pass what is no detail, and what others ask at the same time."""
        return record.levelno > logging.DEBUG or not _discreet.get()


_SILENCE = _Silence()


@contextmanager
def discreet() -> Iterator[None]:
    """Log no request and no answer that this task sends and gets meanwhile."""
    _silence()
    token = _discreet.set(True)
    try:
        yield
    finally:
        _discreet.reset(token)


def _silence() -> None:
    """Reach every logger of the client: a filter does not hold for those below."""
    for name, logger in [*logging.Logger.manager.loggerDict.items()]:
        if name.partition(".")[0] in _TALKERS and isinstance(logger, logging.Logger):
            logger.addFilter(_SILENCE)  # adding it again changes nothing
