"""Pictures of products, which browsers fetch and administrators bring past the service."""

from typing import Annotated, Literal

import msgspec

from shoal import Objects, object_kind, record

LARGEST = 5_000_000
MOST = 8
"""Pictures of one product."""


@object_kind("pictures", largest=LARGEST, types=("image/jpeg", "image/png", "image/webp"))
class Picture:
    """A picture of a product."""


class PictureOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that somebody is about to bring."""

    type: Literal["image/jpeg", "image/png", "image/webp"]
    size: Annotated[int, msgspec.Meta(gt=0, le=LARGEST, description="in bytes")]


class PictureBrought(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that somebody has brought."""

    name: Annotated[str, msgspec.Meta(max_length=100)]
    """As its ticket says."""


@record("galleries", key="sku")
class Gallery(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures of one product, in the order in which they are shown."""

    sku: str
    pictures: tuple[str, ...] = ()

    def without(self, picture: str) -> "Gallery":
        """Take a picture down."""
        return Gallery(sku=self.sku, pictures=tuple(name for name in self.pictures if name != picture))

    def with_(self, picture: str) -> "Gallery":
        """Hang a picture behind the others."""
        return Gallery(sku=self.sku, pictures=(*self.pictures, picture))


async def urls(gallery: Gallery | None, pictures: Objects[Picture]) -> list[str]:
    """Say where the pictures are to be seen, for an hour: longer than a page is kept."""
    return [await pictures.url(name) for name in (gallery.pictures if gallery is not None else ())]
