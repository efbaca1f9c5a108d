"""Whose address it is: what is taken for one asker where each may have only so much."""

from __future__ import annotations

import ipaddress


def network_of(host: str) -> str:
    """Return what all addresses of one asker have in common: an IPv4 address itself, of an IPv6 address the first half.

    One household or machine is given at least all the rest of an IPv6 address, 2⁶⁴ of them (RFC 6177), and may ask from
    each. What is no address, such as the name of a socket of this machine, is the same for all.

    >>> network_of("192.0.2.1"), network_of("::ffff:192.0.2.1"), network_of("2001:db8:0:1:5::7"), network_of("")
    ('192.0.2.1', '192.0.2.1', '2001:db8:0:1::', '')
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return host
    first_half = ipaddress.IPv6Address(address.packed[:8] + bytes(8))
    return str(address.ipv4_mapped or first_half)
