"""Who brings files of a repository into a cluster, and keeps them there. Pure."""
