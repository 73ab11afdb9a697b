"""The rules, a file each; `shoal.check.table` lists them."""
