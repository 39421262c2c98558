"""What an address says of who can reach it."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; names other than localhost count as open."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
