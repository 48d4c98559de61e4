"""Measurements: worlds of n records, and what renkei needs to carry them (calls, CPU, memory, latency).

They decide what is measured and how it is printed. Nothing in production may import them.
"""
