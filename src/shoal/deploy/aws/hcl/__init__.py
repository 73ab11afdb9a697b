"""Resources → Terraform, a file for each topic."""
