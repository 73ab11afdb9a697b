"""Finding documents with OpenSearch or Elasticsearch, by the REST interface that they share.

URLs: ``opensearch://user:password@host:9200,host:9200/PREFIX?tls=1``. Every index and alias of theirs begins with
``PREFIX.``, so that services share a cluster.
"""

from shoal.drivers.base.search import Search
from shoal.drivers.opensearch.indexes import OpenSearch


def search(url: str) -> Search:
    """Return a driver that has not connected yet."""
    return OpenSearch(url)
