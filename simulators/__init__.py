"""Fake vendors over real HTTP, each with a small world of its own: records, clock, quota and faults.

They decide what a vendor would answer. They import nothing of the other packages, so that a misunderstanding in a
connector cannot be mirrored in what it is tested against.
"""
