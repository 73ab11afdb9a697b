"""How long the files for AWS, Azure and Google Cloud take."""
