"""A system on Azure: Container Apps or a cluster, engines run by Microsoft, a managed identity for each service."""
