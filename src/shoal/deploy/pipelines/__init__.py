"""Pipelines that test, build, sign and deploy what a change concerns, for GitHub Actions and GitLab CI. Pure."""
