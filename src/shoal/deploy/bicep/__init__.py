"""Bicep: values, declarations and their printer, which knows no resource of Azure."""
