"""How the processes that ask for the rights of one group share them. Pure."""

from math import ceil

import msgspec


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Where one process stands within a group."""

    mine: int
    """Rights that it holds."""
    others: tuple[int, ...]
    """Rights that each other living member holds, none among them."""
    rights: int
    """Rights that there are, as far as this process knows."""


def take(balance: Balance) -> int:
    """Say how many more rights to take if they are free; first come those who have less than everybody is due."""
    members = 1 + len(balance.others)
    due = balance.rights // members
    most = due if min(balance.others, default=due) < due else ceil(balance.rights / members)
    return max(0, most - balance.mine)


def give(balance: Balance) -> int:
    """Say how many rights to give up because somebody has at least two fewer."""
    surplus = balance.mine - min(balance.others, default=balance.mine)
    return 0 if surplus < 2 else max(1, surplus // (1 + len(balance.others)))
