"""One adapter for each vendor behind one contract, and the plumbing that they share.

It decides how a vendor is spoken to and what a reply means for whoever asked. It may not know mappings, the
journal, or why a record is read or written.
"""
