"""Adobe Marketo Engage over REST: leads as persons."""

from connectors.marketo.config import MarketoConfig
from connectors.marketo.connector import Marketo

__all__ = ["Marketo", "MarketoConfig"]
