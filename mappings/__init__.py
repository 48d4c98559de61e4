"""From the YAML that an administrator edits to the rules that the engine obeys.

It decides what a mapping file means and whether it can work against two live schemas. It may not know the
journal, nor speak to a vendor itself.
"""
