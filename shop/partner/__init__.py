"""What other shops are told, who sell what is here."""
