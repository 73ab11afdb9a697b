"""The shop's old application, of which only the coupons are left. It knows nothing of Shoal."""
