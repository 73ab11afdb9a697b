"""DynamoDB as a script: answers in their order, and what was asked for them."""

from collections.abc import Mapping
from typing import Any, cast

from shoal.drivers.aws.client import AwsClient, AwsRefusal
from shoal.drivers.dynamodb.engine import DynamoEngine
from shoal.errors import Unavailable

Answer = Mapping[str, Any] | Exception
LOST = Unavailable("no answer")
FINE: Mapping[str, Any] = {"Code": "None"}
FAILED: Mapping[str, Any] = {"Code": "ConditionalCheckFailed"}


class Client:
    """Answers from a script, and keeps what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.asked = [*answers], list[tuple[str, dict[str, Any]]]()

    async def ask(self, operation: str, **words: Any) -> Mapping[str, Any]:
        self.asked.append((operation, words))
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer

    def said(self, word: str) -> list[Any]:
        return [words.get(word) for _, words in self.asked]


def engine(*answers: Answer) -> tuple[DynamoEngine, Client]:
    client = Client(*answers)
    return DynamoEngine(cast("AwsClient", client), "t"), client


def refusal(code: str, *reasons: Mapping[str, Any]) -> AwsRefusal:
    return AwsRefusal("asking", {"Error": {"Code": code}, "CancellationReasons": [*reasons]})


def canceled(*reasons: Mapping[str, Any]) -> AwsRefusal:
    return refusal("TransactionCanceledException", *reasons)
