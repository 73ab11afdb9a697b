"""Amazon's interfaces on a laptop: where the server is looked for, how it is run, and what its client says."""

from pathlib import Path

import pytest

from shoal.drivers.aws.address import read
from shoal.drivers.aws.client import AwsClient, AwsRefusal
from shoal.errors import DeclarationError, HostError, Unavailable, Unstorable
from shoal.local.engines import aws, start
from shoal.local.ports import free_port
from shoal.local.urls import aws_url


def test_what_is_not_installed_is_said_with_the_way_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(aws.PLACE, str(tmp_path))
    assert aws.KIND.version == ""
    with pytest.raises(HostError, match=r"ministack is not installed in") as found:
        aws.KIND.locate()
    assert "make .venv-aws" in (found.value.hint or "")


@pytest.mark.parametrize(
    ("url", "endpoint", "access", "name"),
    [
        ("dynamodb:///orders?region=eu-west-1", "", "", "orders"),
        ("dynamodb://AK%2F:hush%3A@127.0.0.1:4566/a%20b?region=eu-west-1&tls=0", "http://127.0.0.1:4566", "AK/", "a b"),
        ("sqs://AK%2F:hush%3A@vpce-1.example.com/?region=eu-west-1", "https://vpce-1.example.com", "AK/", ""),
    ],
)
def test_an_address_says_where_and_who(url: str, endpoint: str, access: str, name: str) -> None:
    found = read(url)
    assert (found.region, found.endpoint, found.access, found.name) == ("eu-west-1", endpoint, access, name)
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("dynamodb://AK:s@db.example.com/x?tls=0", "in the clear"),
        ("dynamodb:///x?tls=0", "in the clear"),
        ("dynamodb://AK:s@127.0.0.1.example.com/x?tls=0", "in the clear"),
        ("dynamodb:///x?tls=no", "tls='no'"),
        ("dynamodb://AK@127.0.0.1/x", "one half of its keys"),
        ("dynamodb:///x?regoin=eu-west-1", "unknown parameter 'regoin'"),
    ],
)
def test_an_address_that_is_not_meant_so_is_refused(url: str, words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        read(url)


@pytest.mark.live
async def test_it_answers_on_loopback_and_says_why_it_does_not(place: Path, output: list[str]) -> None:
    try:
        aws.locate()
    except HostError as error:
        pytest.skip(f"{error}")
    options = aws.AwsOptions(directory=place / "aws", port=free_port())
    running = await start(aws.recipe(options), on_line=output.append)
    client = AwsClient("dynamodb", read(aws_url("dynamodb", options.port, "k", "s", "x")))
    try:
        assert (await client.ask("list_tables"))["TableNames"] == []
        with pytest.raises(AwsRefusal, match="ResourceNotFoundException") as refused:
            await client.ask("describe_table", TableName="nothing")
        assert not refused.value.away
        assert not refused.value.throttled
        with pytest.raises(Unstorable):
            await client.ask("put_item", TableName="x", Item={"key": {"S": 7}})
        await running.process.stop()
        with pytest.raises(Unavailable, match="did not answer"):
            await client.ask("list_tables")
    finally:
        await client.close()
        await running.process.stop()
