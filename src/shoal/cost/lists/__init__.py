"""The clouds' own public price lists: what is asked of them, and how prices are found in what they answer."""
