"""The shop's mail by an emulator of SES: it arrives, and an account that may not send is for a person to solve."""

import asyncio
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from shoal import Secret
from shoal.drivers.aws.address import read
from shoal.drivers.aws.client import AwsClient
from shoal.errors import HostError
from shoal.local.engines import aws, start
from shoal.local.ports import free_port
from shop.notifications import ses
from shop.notifications.mailer import MailerMisused
from shop.notifications.tests.samples import MAIL

SENDER = "orders@shop.example"


@pytest.mark.live
async def test_a_mail_goes_out_by_ses_once_its_sender_is_verified(place: Path, output: list[str]) -> None:
    try:
        aws.locate()
    except HostError as error:
        pytest.skip(f"{error}")
    options = aws.AwsOptions(directory=place, port=free_port())
    running = await start(aws.recipe(options), on_line=output.append)
    try:
        url = running.addresses["aws"]
        asked = ses.Ses(sender=SENDER, region="eu-central-1", url=url, access_key="AK", secret_key=Secret("sk"))
        async with ses.opened(asked) as mailer:
            with pytest.raises(MailerMisused, match="not verified"):
                await mailer.send(MAIL)
            await _verify(url)
            await mailer.send(MAIL)
        (kept,) = await asyncio.to_thread(_kept, url)
    finally:
        await running.process.stop()
    assert (kept["To"], kept["Subject"]) == ([MAIL.email], MAIL.subject)
    assert kept["BodyHtml"].strip() == MAIL.html.strip()


async def _verify(url: str) -> None:
    client = AwsClient("sesv2", read(f"sesv2://AK:sk@{url.removeprefix('http://')}/?region=eu-central-1&tls=0"))
    await client.ask("create_email_identity", EmailIdentity=SENDER)
    await client.close()


def _kept(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/_ministack/ses/messages", timeout=10) as answer:  # noqa: S310 - on loopback
        messages: dict[str, list[dict[str, Any]]] = json.load(answer)["messages"]
    return [mail for mails in messages.values() for mail in mails]
