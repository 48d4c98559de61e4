"""A certificate authority that is thrown away with the test's folder.

Knows files and TLS contexts only; the private key of the authority never leaves this function.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


def throwaway_ca(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make an authority and a server certificate for loopback; gives the authority's PEM file and a
    server context.
    """
    authority = trustme.CA()
    pem = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return pem, context
