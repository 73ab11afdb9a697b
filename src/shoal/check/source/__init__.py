"""The author's source as data: modules, functions, what they use, and what stands where."""

from shoal.check.source.functions import Function as Function
from shoal.check.source.functions import Reference as Reference
from shoal.check.source.functions import Use as Use
from shoal.check.source.index import Contract as Contract
from shoal.check.source.index import Marked as Marked
from shoal.check.source.index import Source as Source
from shoal.check.source.kinds import Kind as Kind
from shoal.check.source.module import Module as Module
