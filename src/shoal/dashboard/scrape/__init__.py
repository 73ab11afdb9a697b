"""What Envoy and the engines measure of themselves, asked now and then and kept in the run's file.

`sources` finds what runs, each engine has a file that knows how to ask it and what of the answer matters, `rounds` asks
all of them again and again.
"""
