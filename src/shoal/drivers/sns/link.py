"""A service's way to the three interfaces: topics (SNS), queues (SQS) and what is declared (Systems Manager).

There is no connection that could be lost: each request stands for itself. One that gets no answer ends an epoch, and
the first that gets one again begins the next.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Literal

from shoal.drivers.aws.address import AwsAddress
from shoal.drivers.aws.client import AwsClient, AwsRefusal
from shoal.drivers.base.pulse import Pulse
from shoal.errors import EngineError, Unavailable, Undeclared

PING_SECONDS = 1.0
ANSWER_SECONDS = 5.0

WAIT_SECONDS = 20
"""For so long a queue may be asked to wait for a message (SQS quotas)."""

CONNECTIONS = 32
HEARING = 512
"""Connections over which queues are asked to wait; each consumer has at most one."""

Lane = Literal["sns", "sqs", "ssm", "hear"]

_FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"})
_REFUSED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch"}
    | {"UnrecognizedClientException"}
)
_GONE = frozenset(
    {"AWS.SimpleQueueService.NonExistentQueue", "NotFound", "NotFoundException", "QueueDoesNotExist"}
    | {"ResourceNotFoundException"}
)


_UNTAKEN = frozenset(
    {"BatchRequestTooLong", "InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid"}
    | {"ValidationError", "ValidationException"}
)


class Untaken(EngineError):
    """Say that what was sent can never be taken as it is."""


class Gone(Unavailable):
    """Say that a topic or a queue does not exist."""


class Link:
    """The interfaces, for one user."""

    def __init__(self, address: AwsAddress) -> None:
        self.address = address
        self.pulse = Pulse()
        self._clients: dict[Lane, AwsClient] = {
            "sns": AwsClient("sns", address, connections=CONNECTIONS, seconds=ANSWER_SECONDS),
            "sqs": AwsClient("sqs", address, connections=CONNECTIONS, seconds=ANSWER_SECONDS),
            "ssm": AwsClient("ssm", address, connections=4, seconds=ANSWER_SECONDS),
            "hear": AwsClient("sqs", address, connections=HEARING, seconds=WAIT_SECONDS + ANSWER_SECONDS),
        }

    @property
    def place(self) -> str:
        """Where it is, without secrets."""
        return f"SNS and SQS at {self.address.place}"

    async def close(self) -> None:
        """Let go of every connection."""
        self.pulse.fall()
        await asyncio.gather(*(client.close() for client in self._clients.values()))

    async def ping(self) -> None:
        """Look up a queue; that there is none, or that we may not know, is a sign of life as well."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self.ask("sqs", "get_queue_url", QueueName="shoal-ping")
        except (Gone, Undeclared):
            return
        except TimeoutError as error:
            self.pulse.fall()
            raise Unavailable(f"{self.place} did not answer within {PING_SECONDS:g} s") from error

    async def ask(self, lane: Lane, operation: str, **words: object) -> Mapping[str, Any]:
        """Ask for one operation.

        Raises:
            Gone: What it is about does not exist.
            Undeclared: The keys do not allow it.
            Unavailable: There was no answer, or the request was not served now.
            Untaken: What it says can never be taken.
            EngineError: It is refused for another reason, such as keys that have run out.
        """
        try:
            answer = await self._clients[lane].ask(operation, **words)
        except AwsRefusal as error:
            if not error.away:
                self.pulse.rise()
            raise self._meaning(error) from error
        except Unavailable:
            self.pulse.fall()
            raise
        self.pulse.rise()
        return answer

    def _meaning(self, error: AwsRefusal) -> Exception:
        what = f"{self.place} refused {error.operation}: {error.code}: {error.message}"
        if error.code in _GONE:
            return Gone(what, hint="declare it first")
        if error.code in _FORBIDDEN:
            return Undeclared(what, hint="declare what the service says and hears, and give its role that right")
        if error.code in _REFUSED:
            return EngineError(what, hint="check the keys")
        if error.code in _UNTAKEN:
            return Untaken(what)
        if error.throttled or error.away:
            return Unavailable(what, hint="it is tried again")
        return EngineError(what)
