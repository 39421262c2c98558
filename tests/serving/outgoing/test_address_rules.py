"""Which addresses may be connected to."""

import pytest

from serving.outgoing.address_rules import AddressRules

PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"]
LOOPBACK = ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]
PRIVATE = ["10.1.2.3", "172.16.0.1", "192.168.1.1", "fd00::1", "100.64.0.1", "::ffff:10.0.0.1"]
NEVER = [
    "169.254.169.254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "ff02::1",
    "255.255.255.255", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
    "240.0.0.1", "2001:db8::1",
    "64:ff9b:1::7f00:1", "::127.0.0.1", "::ffff:0:127.0.0.1", "fec0::1",
    "fd00:ec2::254", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "100.100.100.200", "168.63.129.16",
    "::ffff:100.100.100.200",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert AddressRules().allow(address)


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_is_allowed_where_that_is_said(address: str) -> None:
    assert not AddressRules().allow(address)
    assert AddressRules(loopback=True).allow(address)
    assert AddressRules(private=True).allow(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_networks_are_allowed_where_that_is_said(address: str) -> None:
    assert not AddressRules().allow(address)
    assert not AddressRules(loopback=True).allow(address)
    assert AddressRules(private=True).allow(address)


@pytest.mark.parametrize("address", NEVER)
def test_link_local_and_reserved_addresses_are_never_allowed(address: str) -> None:
    assert not AddressRules(loopback=True, private=True).allow(address)
