"""The journal: the tables, the store that the engine writes through, and read-only views for people.

It decides how facts are kept, and that a transaction holds all of a step or nothing of it. It may not know
vendors, mapping files or schedules.
"""
