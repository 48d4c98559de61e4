"""The engine: what a change is, what follows from it, and in which order it is delivered.

It decides, from three observations of every field, what has to be done on either side. It may not know any
vendor, any database or any file format: systems, the journal, clocks and identities reach it through ports.
"""
