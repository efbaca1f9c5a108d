"""How far away a host lies, so that a stranger cannot make this machine ask what lies nearer than they do."""

from __future__ import annotations

import ipaddress
import socket

_NEXT_DOOR, _OWN, _LOCAL, _PUBLIC = range(4)
"""On the link alone (where clouds keep secrets), this machine, its network, the web."""


def may_name(named_by: int, host: int) -> bool:
    """Say whether a host at one distance may name one at another.

    >>> may_name(distance_of("127.0.0.1"), distance_of("192.168.1.7"))
    True
    >>> may_name(distance_of("93.184.215.14"), distance_of("127.0.0.1"))
    False
    """
    return host != _NEXT_DOOR and host >= named_by


def distance_of(host: str) -> int:
    """Return how far away the nearest address of a host lies; one that has none is as far as can be."""
    try:
        found = {
            str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        }
    except (OSError, UnicodeError):
        return _PUBLIC
    return min((_distance(ipaddress.ip_address(text)) for text in found), default=_PUBLIC)


def _distance(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_link_local or address.is_multicast:
        return _NEXT_DOOR
    if address.is_loopback or address.is_unspecified:
        return _OWN
    return _PUBLIC if address.is_global else _LOCAL
