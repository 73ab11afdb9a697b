"""Sign-up, log-in and the tokens that the whole system trusts."""

import uuid

from shoal import (
    Clock,
    Conflict,
    Objective,
    Postgres,
    Principal,
    Problem,
    RateLimit,
    Reply,
    Secret,
    Service,
    Settings,
    TokenIssuer,
    Transaction,
    anyone,
)
from shop.users.accounts import CUSTOMER, administrator, profile, signed_up
from shop.users.contract import UserErased, UserSignedUp
from shop.users.messages import AccessToken, Credentials, Profile, SignUp
from shop.users.passwords import Passwords
from shop.users.records import Address, User


class UsersSettings(Settings, frozen=True, kw_only=True):
    """What may be said about the users service from outside."""

    token_lifetime: int = 3600
    """Seconds."""
    admin_email: str = "admin@shop.example"
    admin_password: Secret | None = None
    """Read when the service first starts on an empty store; without it nobody is an administrator."""


GUESSES = RateLimit(requests=60, per=60, burst=100, by="address", shared=True)
"""Who has no account yet has only an address: enough for an office behind one, too little to guess passwords.

Shared, since ten gateways would let somebody guess ten times as often.
"""

users = Service(
    "users",
    summary="Customers, their passwords and their tokens.",
    store=Postgres(why="accounts are few, related and precious, and an address has one"),
    publishes=[UserSignedUp, UserErased],
    settings=UsersSettings,
    objectives=[Objective(availability=0.999)],
)


@users.provide
def passwords() -> Passwords:
    """Share one hasher, since its parameters and its decoy are costly to make."""
    return Passwords()


@users.seed("administrator")
async def seed_administrator(tx: Transaction, settings: UsersSettings, hasher: Passwords, clock: Clock) -> None:
    """Make the administrator's account when a password for it was given."""
    if settings.admin_password is None:
        return
    password_hash = await hasher.hash(settings.admin_password.reveal())
    add(administrator(settings.admin_email, password_hash, clock.now()), tx)


@users.seed("sealed-accounts")
async def seal_accounts(tx: Transaction) -> None:
    """Write the accounts anew that were kept in the clear, once, and let go of their addresses."""
    for address in await tx.find(Address):
        user = await tx.get(User, address.user_id, lock=True)
        if user is not None:
            tx.put(user)
        tx.delete(Address, address.address)


@users.post("/users", status=201, access=anyone, limit=GUESSES, largest=4096)
async def sign_up(body: SignUp, tx: Transaction, hasher: Passwords, clock: Clock) -> Profile:
    """Open an account."""
    user = User(
        user_id=f"usr_{uuid.uuid4().hex}",
        email=body.email,
        name=body.name,
        password_hash=await hasher.hash(body.password),
        roles=(CUSTOMER,),
        signed_up_at=clock.now(),
    )
    add(user, tx)
    try:
        await tx.flush()
    except Conflict as conflict:
        raise Problem(409, "email-taken", "an account with this e-mail address exists") from conflict
    return profile(user)


@users.post("/sessions", access=anyone, limit=GUESSES, largest=4096, objectives=[Objective(latency=1.0, target=0.95)])
async def log_in(
    body: Credentials, tx: Transaction, hasher: Passwords, tokens: TokenIssuer, settings: UsersSettings
) -> Reply[AccessToken]:
    """Exchange e-mail address and password for a token."""
    user = next(iter(await tx.find(User, {"email": body.email}, limit=1)), None)
    matches = await hasher.matches(user.password_hash if user else None, body.password)
    if user is None or not matches:
        challenge = {"WWW-Authenticate": "Bearer"}
        raise Problem(401, "invalid-credentials", "e-mail address or password is wrong", headers=challenge)
    lifetime = settings.token_lifetime
    token = tokens.issue(user.user_id, roles=user.roles, lifetime=lifetime, claims={"email": user.email})
    answer = AccessToken(access_token=token, expires_in=lifetime)
    return Reply(body=answer, headers={"Cache-Control": "no-store"})


@users.get("/users/me")
async def me(principal: Principal, tx: Transaction) -> Profile:
    """Show the caller's own account."""
    return profile(await tx.require(User, principal.subject))


@users.delete("/users/me", status=204)
async def erase(principal: Principal, tx: Transaction) -> None:
    """Forget the caller, here and in every service that hears of it; doing so again is harmless.

    What the law makes the shop keep, such as orders and payments, stays, of somebody whom nobody can name any more.
    """
    if await tx.get(User, principal.subject, lock=True) is None:
        return
    tx.delete(User, principal.subject)
    await tx.forget(principal.subject)
    tx.publish(UserErased(user_id=principal.subject))


def add(user: User, tx: Transaction) -> None:
    """Store an account, and announce it."""
    tx.insert(user)
    tx.publish(signed_up(user))
