"""HTTP to a server: credentials, certificates, and its errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from KidneySegLib.errors import InputError, NetworkError
from KidneySegLib.pacs.packages import quiet_libraries
from KidneySegLib.pacs.peers import Peer

if TYPE_CHECKING:
    import requests


def open_session(peer: Peer) -> requests.Session:
    """Returns a session with the server's credentials; certificates are always verified.

    Raises:
        InputError: the CA bundle does not exist.
    """
    from dicomweb_client import session_utils
    from requests.utils import get_environ_proxies

    if peer.token:
        session = session_utils.create_session()
        session.headers["Authorization"] = f"Bearer {peer.token}"
    elif peer.username:
        session = session_utils.create_session_from_user_pass(peer.username, peer.password)
    else:
        session = session_utils.create_session()
    if not peer.ca_bundle:
        return session
    # requests would let REQUESTS_CA_BUNDLE go before the setting; of the environment only the proxies are taken
    session.trust_env = False
    session.proxies = get_environ_proxies(peer.dicomweb or peer.rest)
    try:
        return session_utils.add_certs_to_session(session, ca_bundle=peer.ca_bundle)
    except OSError as error:
        raise InputError(f"Server '{peer.name}': the file that 'ca_bundle' names does not exist.") from error


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
    except requests.exceptions.SSLError:
        raise NetworkError(
            f"The certificate of server '{peer.name}' cannot be verified. Name the authority that signed it in "
            "'ca_bundle'."
        ) from None
    except requests.Timeout:
        raise NetworkError(f"Server '{peer.name}' did not answer within {peer.timeout:g} s.") from None
    except requests.RequestException:
        raise NetworkError(
            f"Server '{peer.name}' cannot be reached, or it broke off. Check that it runs, its address and the network."
        ) from None


def _refusal(name: str, status: int) -> str:
    if status in (401, 403):
        return f"Server '{name}' refuses the credentials (HTTP {status}). Check user name, password or token."
    if status == 404:
        return f"Server '{name}' does not know what was asked for (HTTP 404). Check its address in the file of servers."
    return f"Server '{name}' could not do what was asked for (HTTP {status}). Look into its log."
