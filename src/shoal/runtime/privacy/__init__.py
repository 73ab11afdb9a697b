"""Personal data: sealed above the drivers, so that stores, streams and logs hold only ciphertext of it."""
