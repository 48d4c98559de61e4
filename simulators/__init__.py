"""Fake vendors that speak real HTTP: a hidden world, its projections, faults by name.

Nothing here knows renkei, and renkei imports nothing from here; both sides meet on a socket only.
"""
