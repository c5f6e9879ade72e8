"""The HTTP server of the clicks: one thread per connection, all sizes bounded, closed to browsers and to strangers."""

import hmac
import ipaddress
import json
import logging
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from KidneySegLib import __version__
from KidneySegLib.click_server.leases import Full, Gone, Leases
from KidneySegLib.click_server.requests import GET, POST, WITH_ARRAY, Handler, Reply, Request
from KidneySegLib.errors import InputError, KidneySegError, ResourceError

META, TOKEN = "X-Meta", "X-Lease-Token"
LARGEST_JSON = 64 << 10
LARGEST_BODY = 4 << 30
# A connection on which nothing comes for so long is closed; clients open another one.
SILENCE_S = 120.0
_log = logging.getLogger("kidneyseg.clicks")


class ClickServer(ThreadingHTTPServer):
    """Answers clicks until it is shut down.

    Attributes:
        leases: its clients.
        key: what clients must send as bearer token; None lets everybody in who can reach the server.
    """

    daemon_threads = True

    def __init__(self, host: str, port: int, leases: Leases, key: str | None = None) -> None:
        """Binds the address.

        Args:
            host: address or name to listen on.
            port: 0 takes a free one.
            leases: of the clients.
            key: see above.

        Raises:
            InputError: the address cannot be bound, or others could reach the server without a key.
        """
        if key is None and not _is_loopback(host):
            raise InputError(
                "Other computers could reach this address, and images would be open to all of them. Give a key "
                "(--key-file), or listen on 127.0.0.1."
            )
        self.leases, self.key = leases, key
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise InputError("The address cannot be used. Choose another port, or end what listens there.") from error

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self.server_address[1])

    def service_actions(self) -> None:
        """Ends leases of clients that are gone; called again and again while the server runs."""
        self.leases.sweep()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keeps the traceback of a broken connection off the terminal."""
        _log.debug("A connection was lost.", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: ClickServer
    protocol_version = "HTTP/1.1"
    server_version = f"KidneySeg/{__version__}"
    sys_version = ""
    timeout = SILENCE_S

    def do_GET(self) -> None:  # noqa: N802 (named by http.server)
        """Answers a GET."""
        self._handle(GET)

    def do_POST(self) -> None:  # noqa: N802
        """Answers a POST."""
        self._handle(POST)

    def log_message(self, format: str, *args: Any) -> None:
        """Does not log single requests."""

    def _handle(self, answers: dict[str, Handler]) -> None:
        try:
            body = self._body()
            answer = answers.get(self.path)
            if answer is None:
                return self._fail(HTTPStatus.NOT_FOUND, "There is no such request.")
            if self.headers.get("Origin") is not None:
                return self._fail(HTTPStatus.FORBIDDEN, "Web pages may not use this server.")
            if self.path != "/healthz" and not self._knows_key():
                return self._fail(HTTPStatus.UNAUTHORIZED, "The key is missing or wrong.")
            self._send(answer(self.server.leases, Request(self.headers.get(TOKEN), self._meta(), body)))
        except _TooLarge as error:
            # what was not read cannot be skipped, so the connection ends
            self.close_connection = True
            self._fail(error.status, str(error))
        except Full:
            self._fail(HTTPStatus.SERVICE_UNAVAILABLE, f"All {self.server.leases.most} places are taken.")
        except Gone:
            self._fail(HTTPStatus.GONE, "The session has ended. Connect again.")
        except (ResourceError, MemoryError):
            self._fail(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "There is not enough memory for this image. Crop it.")
        except KidneySegError as error:
            self._fail(HTTPStatus.BAD_REQUEST, str(error))
        except OSError:
            self.close_connection = True
        except Exception:
            _log.debug("An unexpected error.", exc_info=True)
            self._fail(HTTPStatus.INTERNAL_SERVER_ERROR, "An unexpected error ended the request.")

    def _body(self) -> bytes:
        """Reads the content, whose length must be stated and allowed."""
        told = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not (told.isascii() and told.isdigit()):
            raise _TooLarge(HTTPStatus.LENGTH_REQUIRED, "The length of the content is missing.")
        allowed = self.command == "POST" and self.path in WITH_ARRAY and self._knows_key()
        if int(told) > (LARGEST_BODY if allowed else LARGEST_JSON):
            raise _TooLarge(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The content is too large.")
        body = self.rfile.read(int(told))
        if len(body) != int(told):
            raise OSError("The connection was lost.")
        return body

    def _meta(self) -> dict[str, Any]:
        try:
            meta = json.loads(self.headers.get(META, "{}"))
        except ValueError as error:
            raise InputError(f"The header {META} is not JSON.") from error
        if not isinstance(meta, dict):
            raise InputError(f"The header {META} is not a JSON object.")
        return meta

    def _knows_key(self) -> bool:
        key = self.server.key
        sent = self.headers.get("Authorization", "")
        return key is None or hmac.compare_digest(sent.encode("utf-8", "replace"), f"Bearer {key}".encode())

    def _send(self, reply: Reply) -> None:
        text = json.dumps(reply.fields, separators=(",", ":"))
        body = text.encode("utf-8") if reply.array is None else reply.array
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json" if reply.array is None else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        if reply.array is not None:
            self.send_header(META, text)
        self.end_headers()
        self.wfile.write(body)

    def _fail(self, status: HTTPStatus, detail: str) -> None:
        body = json.dumps({"detail": detail}).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


class _TooLarge(Exception):  # noqa: N818
    """Content that is not read."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def _is_loopback(host: str) -> bool:
    """Whether an address is that of this computer alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
