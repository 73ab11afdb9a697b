"""One client of one of Amazon's interfaces: the one file that knows the library.

It asks once and never by itself again, since only the driver knows what may be repeated.
"""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - the name that the library gave it
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
)

from shoal.drivers.aws.address import AwsAddress
from shoal.drivers.base.observing import Asking
from shoal.errors import EngineError, Unavailable, Unstorable

Json = Mapping[str, Any]

_LOADER = "data_loader"

CLOSING = 1.0
"""Seconds for letting go of connections."""

_AWAY = frozenset({"InternalFailure", "InternalServerError", "ServiceUnavailable", "RequestTimeout"})
_SILENCE = (
    ConnectionError, CredentialRetrievalError, HTTPClientError, MetadataRetrievalError, OSError, TimeoutError,
)  # fmt: skip
"""Nobody answered: the interface, or who lends the keys to this machine."""

_OUTDATED = frozenset({"ExpiredToken", "ExpiredTokenException"})

_BUSY = frozenset(
    {"LimitExceededException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled"}
    | {"SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)


class AwsRefusal(Exception):
    """Say what an interface answered instead of doing what it was asked."""

    def __init__(self, operation: str, response: Json) -> None:
        error = response.get("Error", {})
        self.operation, self.response = operation, response
        self.code, self.message = str(error.get("Code", "")), str(error.get("Message", ""))
        self.status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        super().__init__(f"{operation}: {self.code}: {self.message}")

    @property
    def throttled(self) -> bool:
        """Whether nothing was done because too much is asked at the moment."""
        return self.code in _BUSY

    @property
    def away(self) -> bool:
        """Whether it is not known what was done, because the other side failed."""
        return self.status >= 500 or self.code in _AWAY

    @property
    def outdated(self) -> bool:
        """Whether the keys of a moment ran out; others are lent soon."""
        return self.code in _OUTDATED


class AwsClient:
    """A client that connects when it is first asked, for the tasks of one event loop.

    Args:
        service: Amazon's name of the interface, such as ``dynamodb`` or ``sqs``.
        address: Where it is.
        connections: How many requests can be under way.
        seconds: How long an answer may take.
        settings: Further ones, as the library calls them.
    """

    def __init__(
        self,
        service: str,
        address: AwsAddress,
        *,
        connections: int = 32,
        seconds: float = 10.0,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._service, self._address = service, address
        self._connections, self._seconds, self._settings = connections, seconds, dict(settings or {})
        self._opening = asyncio.Lock()
        self._client: Any = None

    async def ask(self, operation: str, **words: object) -> Json:
        """Ask for one operation, by the name in the client's language: ``put_item``, ``send_message_batch``.

        Raises:
            AwsRefusal: It was answered with an error.
            Unavailable: There was no answer; it is not known whether anything was done.
            Unstorable: The client refuses to send such words.
            EngineError: There are no keys or no region, or the client fails otherwise.
        """
        client = self._client or await self._open()
        target = str(words.get("TableName") or words.get("Bucket") or "")
        with Asking(f"aws.{self._service}", operation, target), self._translated(operation):
            answer: Json = await getattr(client, operation)(**words)
        return answer

    async def sign(self, operation: str, seconds: int, **words: object) -> str:
        """Sign a URL by which somebody else may ask for one operation; nobody is asked. Raises as `ask`."""
        client = self._client or await self._open()
        with self._translated(operation):
            url: str = await client.generate_presigned_url(operation, Params=words, ExpiresIn=seconds)
        return url

    async def pieces(self, operation: str, body: Any, size: int) -> AsyncIterator[bytes]:
        """Read the body of an answer that came as a stream; `Unavailable` when it ends too early."""
        try:
            while True:
                try:
                    piece: bytes = await body.read(size)
                except Exception as error:  # whatever the connection underneath raises
                    raise Unavailable(f"{self._place} broke off its answer to {operation}: {error}") from error
                if not piece:
                    return
                yield piece
        finally:
            body.close()

    @contextlib.contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise AwsRefusal(operation, error.response) from error
        except _SILENCE as error:
            raise Unavailable(
                f"{self._place} did not answer {operation}: {error}", hint="look whether it runs"
            ) from error
        except ParamValidationError as error:
            raise Unstorable(f"{operation}: {error}", hint="keep it as text") from error
        except NoCredentialsError as error:
            hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role"
            raise EngineError(f"{self._place} needs keys and there are none", hint=hint) from error
        except BotoCoreError as error:
            raise EngineError(f"{self._place} cannot be asked {operation}: {error}") from error

    async def close(self) -> None:
        """Let go of every connection; the next question connects again."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(CLOSING):
                    await client.__aexit__(None, None, None)

    @property
    def _place(self) -> str:
        return f"{self._service} at {self._address.place}"

    async def _open(self) -> Any:
        async with self._opening:
            if self._client is None:
                address = self._address
                try:
                    self._client = await _session().create_client(
                        self._service, region_name=address.region or None, endpoint_url=address.endpoint or None,
                        aws_access_key_id=address.access or None, aws_secret_access_key=address.secret or None,
                        config=self._config(),
                    ).__aenter__()  # fmt: skip
                except NoRegionError as error:
                    hint = "say ?region=eu-central-1 in the address, or set AWS_REGION"
                    raise EngineError(f"{self._place} is in no region", hint=hint) from error
        return self._client

    def _config(self) -> AioConfig:
        return AioConfig(
            connect_timeout=2.0, read_timeout=self._seconds, max_pool_connections=self._connections,
            retries={"total_max_attempts": 1}, tcp_keepalive=True, user_agent_extra="shoal", **self._settings,
        )  # fmt: skip


@functools.cache
def _models() -> Any:
    """Return what reads the descriptions of interfaces, which takes half a second for each, once in a process."""
    return AioSession().get_component(_LOADER)


def _session() -> AioSession:
    session = AioSession()
    session.register_component(_LOADER, _models())
    return session
