"""Terraform's language, printed as ``terraform fmt`` leaves it. It knows no cloud."""
