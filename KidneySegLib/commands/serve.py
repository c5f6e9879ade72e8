"""``kidneyseg serve``: answers the clicks of nnInteractive's clients."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from KidneySegLib.errors import InputError, KidneySegError

SHORTEST_KEY = 16


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; others than this computer's own need a key")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one")] = 1527,
    key_file: Annotated[
        Path | None, typer.Option(help="File with the key that clients must send (bearer token), one line")
    ] = None,
    clients: Annotated[int, typer.Option(min=1, help="Clients at a time, each with an image in memory")] = 4,
    idle: Annotated[
        float, typer.Option(min=1, help="Seconds without an action after which a client is disconnected")
    ] = 3600,
) -> None:
    """Answers clicks of nnInteractive's clients on CT, without a graphics card. Ends with Ctrl-C."""
    if find_spec("blosc2") is None:
        raise KidneySegError(
            "The package for this server is not installed. Install it in the folder of KidneySeg: "
            "pip install -e '.[clicks]'."
        )
    from KidneySegLib.click_server.leases import Leases
    from KidneySegLib.click_server.server import ClickServer

    key = None if key_file is None else _key(key_file)
    with ClickServer(host, port, Leases(clients, idle_s=idle, silent_s=60.0), key) as server:
        shown = f"[{host}]" if ":" in host else host
        typer.echo(f"Listening on http://{shown}:{server.port}. Ends with Ctrl-C.")
        server.serve_forever()


def _key(path: Path) -> str:
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("The file with the key cannot be read. Check the path.") from error
    if len(key) < SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise InputError(f"The key must be one word of {SHORTEST_KEY} plain characters at least.")
    return key
