"""Resources on Azure → Bicep: a file for each service and each topic, and one that puts them together."""
