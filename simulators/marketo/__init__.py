"""A fake Marketo Engage: leads, their activity log, bulk extract, and the REST dialect with its codes and
quotas.
"""
