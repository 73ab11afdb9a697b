"""Money: charges and refunds at the payment provider."""
