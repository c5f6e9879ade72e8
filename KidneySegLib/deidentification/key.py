"""The key file: the secret from which all pseudonyms are made. Whoever has it can link them; it stays with the user."""

import hashlib
import json
import os
import secrets
from pathlib import Path

from KidneySegLib.errors import InputError, OutputError

_VERSION = 1
_LENGTH = 32  # bytes


def new_secret() -> bytes:
    """Returns a secret that was never used before."""
    return secrets.token_bytes(_LENGTH)


def load_key(path: Path) -> bytes:
    """Returns the secret in a key file.

    Raises:
        InputError: the file cannot be read, is not a key file or is damaged. A damaged secret is never used: it would
            give other pseudonyms without a word.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version, secret, checksum = values["kidneyseg_key"], bytes.fromhex(values["secret"]), values["checksum"]
    except OSError as error:
        raise InputError("The key file cannot be read. Check that it exists and that you may read it.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(_DAMAGED) from error
    if version != _VERSION or len(secret) != _LENGTH or checksum != _checksum(secret):
        raise InputError(_DAMAGED)
    return secret


def create_key(path: Path) -> bytes:
    """Makes a key file that only its owner may read, and returns its secret.

    Raises:
        OutputError: the file exists (a key is never overwritten) or cannot be written.
    """
    secret = new_secret()
    values = {"kidneyseg_key": _VERSION, "secret": secret.hex(), "checksum": _checksum(secret)}
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise OutputError("The key file already exists and is not overwritten. Choose another name.") from error
    except OSError as error:
        raise OutputError(_UNWRITABLE) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(values, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())  # pseudonyms without their key are lost
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputError(_UNWRITABLE) from error
    return secret


_DAMAGED = (
    "The key file is damaged or is not a key file of KidneySeg. Restore it from a copy; a new key would give other "
    "pseudonyms."
)
_UNWRITABLE = "The key file cannot be written. Check the free space, and that you may write to that folder."


def _checksum(secret: bytes) -> str:
    return hashlib.sha256(b"kidneyseg key\0" + secret).hexdigest()[:16]
