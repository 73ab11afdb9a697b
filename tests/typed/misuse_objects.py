"""Mistakes with objects; each line that says so must be flagged."""

from shoal import S3, Objects, object_kind
from tests.typed.objects import Picture

unlimited = object_kind("pictures")  # expect-error
typed = object_kind("pictures", largest=5, types=[1])  # expect-error
kept = S3(kinds=["pictures"])  # expect-error
bucket = S3(bucket="mine")  # expect-error


async def mistaken(pictures: Objects[Picture]) -> None:
    """Mistake what is given and what comes back."""
    await pictures.put(b"x")  # expect-error
    await pictures.put("text", type="text/plain")  # expect-error
    await pictures.put("name", b"x", type="image/png")  # expect-error
    name: str = await pictures.put(b"x", type="image/png")  # expect-error
    await pictures.ticket(type="image/png")  # expect-error
    content: bytes = await pictures.read(name)  # expect-error
    await pictures.delete(name)  # expect-error
    await pictures.url(name, 60)  # expect-error
    assert content
