"""Which hosts are this machine: there, and nowhere else, http is as good as https."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine by its form alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def leads_to_loopback(url: str) -> bool:
    """Tell whether an address or origin is at this machine."""
    return is_loopback(urlsplit(url).hostname or "")
