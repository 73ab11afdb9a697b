"""Notices: what somebody should hear of, found by rules over what a run has recorded.

A rule returns findings: what is so at the moment. `ledger` turns them into notices, which begin and end. Rules are
pure; what they look at is read in `standing`, `failures` and `traffic`; `watch` asks them again and again.
"""
