"""A fake Salesforce organisation: its records, its query language, its REST front.

`state` can be used in the same process without HTTP; `api` puts the vendor's resources in front of it.
"""
