"""Where a URL leads, and what of it may be shown: a user name and password may stand in it, and keys in its query."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

_PORTS = {"https": 443, "http": 80}
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z|~]*")
"""Characters that every parser of URLs reads alike: no backslash (a slash to some), no blank, control character or letter of another script."""

Origin = tuple[str, str, int | None]


def origin(url: str) -> Origin:
    """Scheme, host and port, the port of the scheme filled in. Raises `ValueError` for a URL whose host is ambiguous."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise ValueError("its host or its port is not valid") from None  # the parser's own message repeats a password
    if not host:
        raise ValueError("it has no host")
    return scheme, host, port or _PORTS.get(scheme)


def redirected(url: str, location: str) -> str:
    """The URL that a `location` header means. Raises `ValueError` with the reason for one that leads to another server or can be read in two ways.

    Our parser is not the one that connects: what they might read differently is refused, so that both see one host.
    """
    if not _PLAIN.fullmatch(location):
        raise ValueError("its address has characters that are not allowed in an address")
    try:
        target = urljoin(url, location)
        old, new = urlsplit(url), urlsplit(target)
    except ValueError:
        raise ValueError("its address is not a URL") from None
    if "@" in new.netloc and new.netloc != old.netloc:
        raise ValueError("its address has a user name in it")
    if origin(url) != origin(target):
        raise ValueError("another origin, to which neither the key nor the text is sent")
    return target


def bare(url: str) -> str:
    """A URL without user name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def shown(url: str) -> str:
    """A URL as it may be printed: without user name and password, and without what its query says.

    Everything before the last `@` is removed, because an unquoted password may hold any character.
    """
    scheme, slashes, rest = url.partition("://") if "://" in url else ("", "", url)
    user, _, rest = rest.rpartition("@")
    path, query, _ = rest.partition("?")
    return f"{scheme}{slashes}{'***@' if user else ''}{path}{'?...' if query else ''}"


def place(url: str) -> str:
    """`host:port`, for messages."""
    try:
        _, host, port = origin(url)
    except ValueError:
        return shown(url)
    return f"{host}:{port}" if port else host
