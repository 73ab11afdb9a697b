import pytest

from shop.users.passwords import Passwords


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords()


async def test_the_right_password_matches_its_hash(passwords: Passwords) -> None:
    known = await passwords.hash("correct horse")
    assert known.startswith("$argon2id$")
    assert await passwords.matches(known, "correct horse")
    assert not await passwords.matches(known, "Correct horse")


async def test_equal_passwords_have_different_hashes(passwords: Passwords) -> None:
    assert await passwords.hash("correct horse") != await passwords.hash("correct horse")


async def test_nobody_matches_after_the_same_work(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    verify = passwords._verify

    def counted(known: str, password: str) -> bool:
        checked.append(known)
        return verify(known, password)

    monkeypatch.setattr(passwords, "_verify", counted)
    assert not await passwords.matches(None, "nobody has this password")
    assert checked == [passwords._nobody]
