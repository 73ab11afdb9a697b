"""Who a process is in a cloud is found as the cloud's own clients find it, and only its platform is asked."""

import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shoal.drivers.azure import identity as azure
from shoal.drivers.base.rest import Rest
from shoal.drivers.google import identity as google
from shoal.errors import EngineError, Unavailable
from tests.drivers.clouds_played import Played
from tests.drivers.keyvault_played import pair

VAULT = "https://vault.azure.net"
GOOD = {"access_token": "t0", "expires_in": "3600"}


class Office(Played):
    """Lends tokens, and keeps what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[int, object]] = [(200, GOOD)]
        self.told: list[dict[str, str]] = []

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.told.append({**headers, **request.query, **form, "path": request.path})
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.json_response(body, status=status)


@pytest_asyncio.fixture(name="office")
async def _office() -> AsyncIterator[Office]:
    office = Office()
    await office.start()
    yield office
    await office.stop()


@pytest_asyncio.fixture(name="rest")
async def _rest() -> AsyncIterator[Rest]:
    rest = Rest("a cloud")
    yield rest
    await rest.close()


async def test_a_workload_of_a_cluster_shows_the_clusters_token(office: Office, rest: Rest, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-the-cluster\n")
    who = {
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token"), "AZURE_CLIENT_ID": "app", "AZURE_TENANT_ID": "tenant",
        "AZURE_AUTHORITY_HOST": f"http://{office.place}/",
    }  # fmt: skip
    assert await azure.bearer(rest, VAULT, who).headers() == {"authorization": "Bearer t0"}
    told = office.told[0]
    assert told["path"] == "/tenant/oauth2/v2.0/token"
    assert (told["client_assertion"], told["client_id"]) == ("from-the-cluster", "app")
    assert (told["scope"], told["grant_type"]) == (f"{VAULT}/.default", "client_credentials")
    with pytest.raises(EngineError, match="half said"):
        await azure.bearer(rest, VAULT, {**who, "AZURE_TENANT_ID": ""}).headers()


async def test_an_application_shows_its_secret(office: Office, rest: Rest) -> None:
    who = {
        "AZURE_CLIENT_SECRET": "s3", "AZURE_CLIENT_ID": "app", "AZURE_TENANT_ID": "t",
        "AZURE_AUTHORITY_HOST": f"http://{office.place}",
    }  # fmt: skip
    await azure.bearer(rest, VAULT, who).headers()
    assert office.told[0]["client_secret"] == "s3"


async def test_a_machine_asks_its_platform(office: Office, rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure, "MACHINE", f"http://{office.place}")
    await azure.bearer(rest, VAULT, {"AZURE_CLIENT_ID": "assigned"}).headers()
    told = office.told[0]
    assert (told["metadata"], told["resource"], told["client_id"]) == ("true", VAULT, "assigned")
    assert (told["path"], told["api-version"]) == ("/metadata/identity/oauth2/token", "2018-02-01")


async def test_a_container_asks_where_it_is_told_to(office: Office, rest: Rest) -> None:
    office.answers = [(200, {"access_token": "t0", "expires_on": str(int(time.time()) + 3600)})]
    who = {"IDENTITY_ENDPOINT": f"http://{office.place}/msi", "IDENTITY_HEADER": "it-is-us"}
    bearer = azure.bearer(rest, VAULT, who)
    assert await bearer.headers() == await bearer.headers()
    assert [(told["x-identity-header"], told["resource"]) for told in office.told] == [("it-is-us", VAULT)]


async def test_a_token_that_ends_soon_is_asked_for_anew(office: Office, rest: Rest) -> None:
    office.answers = [(200, {"access_token": "old", "expires_in": 200}), (200, GOOD)]
    bearer = google.bearer(rest, {"GCE_METADATA_HOST": office.place})
    assert await bearer.headers() == {"authorization": "Bearer old"}
    assert await bearer.headers() == {"authorization": "Bearer t0"}
    assert {told["metadata-flavor"] for told in office.told} == {"Google"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (503, {}, Unavailable, "503"),
        (429, {}, Unavailable, "429"),
        (400, {"error": "invalid_client", "error_description": "who are you"}, EngineError, "who are you"),
        (200, {"token": "?"}, EngineError, "no token"),
        (200, ["?"], EngineError, "no token"),
    ],
)
async def test_who_gets_no_token_is_told_why(
    office: Office, rest: Rest, status: int, body: object, kind: type[EngineError], said: str
) -> None:
    office.answers = [(status, body)]
    with pytest.raises(kind, match=said) as refused:
        await google.bearer(rest, {"GCE_METADATA_HOST": office.place}).headers()
    assert isinstance(refused.value, Unavailable) == (kind is Unavailable)


def credentials(folder: Path, **words: object) -> dict[str, str]:
    """Write a file of Google's credentials."""
    (folder / "credentials.json").write_bytes(msgspec.json.encode(words))
    return {google.FILE: str(folder / "credentials.json")}


async def test_a_service_account_signs_what_it_asks_for(office: Office, rest: Rest, tmp_path: Path) -> None:
    key = pair(0)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    uri = f"http://{office.place}/token"
    words = {"client_email": "us@club", "private_key": pem, "private_key_id": "k1", "token_uri": uri}
    await google.bearer(rest, credentials(tmp_path, type="service_account", **words)).headers()
    head, claims, signature = office.told[0]["assertion"].split(".")
    key.public_key().verify(decoded(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
    assert msgspec.json.decode(decoded(head)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    said: dict[str, Any] = msgspec.json.decode(decoded(claims))
    assert (said["iss"], said["aud"], said["exp"] - said["iat"]) == ("us@club", uri, 3600)


async def test_whom_another_issuer_knows_is_believed(office: Office, rest: Rest, tmp_path: Path) -> None:
    (tmp_path / "token").write_text('{"id_token": "from-elsewhere"}')
    source = {"file": str(tmp_path / "token"), "format": {"type": "json", "subject_token_field_name": "id_token"}}
    words: dict[str, object] = {
        "type": "external_account", "audience": "//iam/pool", "subject_token_type": "jwt",
        "token_url": f"http://{office.place}/sts", "credential_source": source,
    }  # fmt: skip
    assert await google.bearer(rest, credentials(tmp_path, **words)).headers() == {"authorization": "Bearer t0"}
    assert (office.told[0]["subject_token"], office.told[0]["audience"]) == ("from-elsewhere", "//iam/pool")
    acting = {**words, "service_account_impersonation_url": f"http://{office.place}/us:generateAccessToken"}
    office.answers = [(200, GOOD), (200, {"accessToken": "as-us"}), (403, {})]
    assert await google.bearer(rest, credentials(tmp_path, **acting)).headers() == {"authorization": "Bearer as-us"}
    assert office.told[-1]["authorization"] == "Bearer t0"


@pytest.mark.parametrize("words", [{"type": "authorized_user"}, {"type": "service_account"}, {}])
async def test_what_is_no_credential_is_refused(rest: Rest, tmp_path: Path, words: dict[str, object]) -> None:
    with pytest.raises(EngineError, match=google.FILE):
        await google.bearer(rest, credentials(tmp_path, **words)).headers()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")
