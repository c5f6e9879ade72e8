"""HTTP to a server: credentials, certificates, and its errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from KidneySegLib.errors import NetworkError
from KidneySegLib.pacs.packages import quiet_libraries
from KidneySegLib.pacs.peers import Peer, ca_file, trusted
from KidneySegLib.pacs.web.bounds import set_bounds

if TYPE_CHECKING:
    import requests

MOST_BYTES = 50_000_000  # of a search or a list of changes
_MOST_REDIRECTS = 5


def open_session(peer: Peer, most_bytes: int = MOST_BYTES) -> requests.Session:
    """Returns a session with the server's credentials; certificates are always verified.

    Args:
        peer: the server; its limits of time hold for every answer.
        most_bytes: how much an answer may hold.

    Raises:
        InputError: the CA bundle cannot be used.
    """
    import requests
    from requests.auth import HTTPBasicAuth
    from requests.utils import get_environ_proxies

    session = requests.Session()
    session.max_redirects = _MOST_REDIRECTS
    set_bounds(session, peer, most_bytes)
    if peer.token:
        session.headers["Authorization"] = f"Bearer {peer.token}"
    elif peer.username:
        # RFC 7617; requests alone would take Latin-1 and fail on any other letter
        session.auth = HTTPBasicAuth(peer.username.encode(), peer.password.encode())
    if peer.ca_bundle:
        # requests would let REQUESTS_CA_BUNDLE go before the setting; of the environment only the proxies are taken
        session.trust_env = False
        session.proxies = get_environ_proxies(peer.dicomweb or peer.rest)
        trusted(peer)  # requests would tell of an unreadable file as if the server's certificate were wrong
        session.verify = ca_file(peer)
    return session


@contextmanager
def http_errors(peer: Peer) -> Iterator[None]:
    """Turns the library's errors, whose text holds addresses with query values, into one clear sentence.

    Raises:
        NetworkError: the server is away, refuses or breaks off.
    """
    import requests

    try:
        with quiet_libraries():
            yield
    except requests.HTTPError as error:
        status = 0 if error.response is None else error.response.status_code
        raise NetworkError(_refusal(peer.name, status)) from None
    except requests.exceptions.InvalidJSONError:
        raise not_understood(peer) from None
    except requests.exceptions.SSLError:
        raise NetworkError(
            f"The certificate of server '{peer.name}' cannot be verified. Name the authority that signed it in "
            "'ca_bundle'."
        ) from None
    except requests.Timeout:
        raise NetworkError(f"Server '{peer.name}' did not answer within {peer.timeout:g} s.") from None
    except requests.RequestException:
        raise NetworkError(
            f"Server '{peer.name}' cannot be reached, or it closed the connection. Check that it runs, its address "
            "and the network."
        ) from None


def not_understood(peer: Peer) -> NetworkError:
    """Returns the complaint about an answer that is not what was asked for, such as a web page."""
    return NetworkError(
        f"Server '{peer.name}' answered with something that is not what was asked for, such as a web page. "
        "Check its addresses in the file of servers."
    )


def _refusal(name: str, status: int) -> str:
    if status in (401, 403):
        return f"Server '{name}' refuses the credentials (HTTP {status}). Check user name, password or token."
    if status == 404:
        return f"Server '{name}' does not know what was asked for (HTTP 404). Check its address in the file of servers."
    return f"Server '{name}' could not do what was asked for (HTTP {status}). Check its log."
