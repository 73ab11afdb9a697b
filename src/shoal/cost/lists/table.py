"""Price lists that can be asked. A new one is a file that ends in a `PriceList`, and a line."""

from collections.abc import Mapping

from shoal.cost.lists import aws, azure, gcp
from shoal.cost.lists.offer import PriceList

LISTS: Mapping[str, PriceList] = {one.name: one for one in (aws.LIST, azure.LIST, gcp.LIST)}
