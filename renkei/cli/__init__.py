"""The command line: one file for each group of commands, each importing what it needs when it runs.

It decides what is asked, shown and answered as an exit code (`renkei.cli.codes`). What is done stands below.
"""

from renkei.cli.app import main

__all__ = ["main"]
