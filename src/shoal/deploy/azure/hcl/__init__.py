"""Resources on Azure → Terraform (azurerm)."""
