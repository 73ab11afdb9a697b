from typing import Any

import pytest

from shoal.testing import MemorySystem
from shop.notifications.mailer import Mailer
from shop.payments.provider import PaymentProvider
from shop.tests.fakes import FakeMailer, FakeProvider
from shop.tests.people import Customer, sign_up

ADMIN_PASSWORD = "correct horse battery staple"


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def mailer() -> FakeMailer:
    return FakeMailer()


@pytest.fixture
def system_overrides(provider: FakeProvider, mailer: FakeMailer) -> dict[Any, Any]:
    return {PaymentProvider: provider, Mailer: mailer}


@pytest.fixture
def system_environ() -> dict[str, str]:
    return {"USERS__ADMIN_PASSWORD": ADMIN_PASSWORD}


@pytest.fixture
async def ada(system: MemorySystem) -> Customer:
    return await sign_up(system, "ada@example.com")


@pytest.fixture
async def bob(system: MemorySystem) -> Customer:
    return await sign_up(system, "bob@example.com")


@pytest.fixture
async def admin_token(system: MemorySystem) -> str:
    credentials = {"email": "admin@shop.example", "password": ADMIN_PASSWORD}
    answer = await system.post("/sessions", json=credentials)
    assert answer.status == 200, answer.body
    return str(answer.json()["access_token"])
