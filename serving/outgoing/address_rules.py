"""Which addresses the service may connect to."""

import ipaddress
from dataclasses import dataclass

from serving.errors import ServingError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SHARED = ipaddress.ip_network("100.64.0.0/10")  # between a provider and its customers (RFC 6598)
_PRIVATE = tuple(
    ipaddress.ip_network(one)
    for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)

# All public addresses of IPv6 are in it; outside are those that stand for others, and old kinds.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Where clouds answer with credentials, besides link-local addresses: AWS, Google, Oracle, Alibaba,
# Azure.
_METADATA = frozenset(
    ipaddress.ip_address(one)
    for one in (
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "100.100.100.200",
        "168.63.129.16",
    )
)

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenAddress(ServingError):
    """The service may not connect to an address."""

    code = "address_not_allowed"


@dataclass(frozen=True, slots=True)
class AddressRules:
    """Which addresses may be connected to: public ones, and what is allowed besides.

    Addresses where clouds answer with credentials, link-local and reserved ones are never allowed.

    Attributes:
        loopback: whether this machine may be.
        private: whether this machine and private networks may be.
    """

    loopback: bool = False
    private: bool = False

    def allow(self, address: str) -> bool:
        """Whether an IP address may be connected to; an IPv4 address inside an IPv6 one counts."""
        return self._allow(_embedded(ipaddress.ip_address(address.partition("%")[0])))

    def _allow(self, ip: IpAddress) -> bool:
        if ip in _METADATA:
            return False
        if ip.is_loopback:
            return self.loopback or self.private
        if any(ip in network for network in (*_PRIVATE, _SHARED) if network.version == ip.version):
            return self.private
        if ip.version == 6 and ip not in _GLOBAL_UNICAST:
            return False
        return ip.is_global and not ip.is_multicast


def literal(host: str) -> str | None:
    """A host that is an IP address, without brackets; None for a name."""
    bare = host.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare.partition("%")[0]))
    except ValueError:
        return None


def _embedded(ip: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 address stands for; any other address as it is."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else ip
