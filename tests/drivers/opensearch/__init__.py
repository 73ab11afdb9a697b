"""OpenSearch as its documentation has it, played in memory: the REST interface of indexes, aliases, bulks and searches.

No server of OpenSearch's or Elasticsearch's can be had where this is tested. What is sent is checked strictly, what is
answered has the documented form. So it shows that the driver says what the documentation asks for, and not that a real
cluster takes it so.
"""
