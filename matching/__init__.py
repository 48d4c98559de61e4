"""Normalisers and match keys: who may be the same person.

Pure functions over text. It decides how an address, a telephone number or a name is written so that two
spellings of one thing become equal, and which keys two records may be matched by. It may not know where a value
came from, where it goes, or that there is such a thing as a vendor, a network or a database.
"""
