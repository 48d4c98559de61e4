"""Who says what is said on the command line.

It decides the name that is kept with every word of a person. Nothing is proved by it: whoever may run a command may
also say another name.
"""

from __future__ import annotations

import os
from getpass import getuser


def speaker() -> str:
    """The user who runs this command: behind sudo the one who asked, without a name the user's number."""
    asked = os.environ.get("SUDO_USER", "")
    if asked:
        return asked
    try:
        return getuser()
    except (KeyError, OSError):  # a container may run under a number that nobody has named
        return f"uid {os.getuid()}"
