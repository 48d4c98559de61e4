"""The shell: settings, wiring, command line, daemon and demo.

It decides which parts are put together and when they run. It is the only package that may know all others, and it
holds no rule about persons or fields.
"""
