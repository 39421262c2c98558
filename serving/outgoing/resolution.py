"""Names into addresses that may be connected to.

A name is looked up once, and the address that was checked is the one that is connected to. So a
name server cannot give a public address to the check and another one to the connection.
"""

import asyncio
import socket

from serving.outgoing.address_rules import AddressRules, ForbiddenAddress, literal

_MOST = 8  # addresses of a name that are tried


async def resolve(host: str, port: int, rules: AddressRules) -> list[str]:
    """The addresses of a host that may be connected to, in the order of the name server.

    Raises:
        ForbiddenAddress: it has none.
        OSError: the name is not known, or the name server does not answer.
    """
    if (address := literal(host)) is not None:
        found = [address]
    else:
        loop = asyncio.get_running_loop()
        answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    allowed = [one for one in found if rules.allow(one)]
    if not allowed:
        raise ForbiddenAddress(_why(host, found, rules))
    return allowed[:_MOST]


async def connect(host: str, port: int, rules: AddressRules) -> socket.socket:
    """A connection to the first address of a host that accepts it, not blocking.

    Raises:
        ForbiddenAddress: no address of the host may be connected to.
        OSError: none accepts.
    """
    failed: OSError | None = None
    for address in await resolve(host, port, rules):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(opened, (address, port))
        except OSError as error:
            opened.close()
            failed = error
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise failed or OSError(f"{host} has no address")


def _why(host: str, found: list[str], rules: AddressRules) -> str:
    where = host if host in found else f"{host} ({', '.join(found[:_MOST]) or 'no address'})"
    if any(AddressRules(private=True).allow(one) for one in found) and not rules.private:
        return (
            f"{where} is a private address; allow that with 'allow_private = true' if it is right"
        )
    return f"{where} is an address that is never connected to"
