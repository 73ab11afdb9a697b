"""How Terraform spells resources on Google Cloud."""
