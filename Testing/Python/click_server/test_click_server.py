"""The clicks' server, asked by the real client of nnInteractive, and by such as mean no good."""

from __future__ import annotations

import http.client
import json
import struct
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from lesion_cases import ball

from KidneySegLib.click_server.leases import Full, Gone, Leases
from KidneySegLib.errors import InputError
from KidneySegLib.volume import Volume

WHY = "nnInteractive's client is not installed here (extra judges)"
blosc2 = pytest.importorskip("blosc2", reason=WHY)
remote = pytest.importorskip("nnInteractive.inference.remote", reason=WHY)
from nnInteractive.inference.remote.serialization import pack_array, unpack_array  # noqa: E402

from KidneySegLib.click_server.packed_array import pack, unpack  # noqa: E402
from KidneySegLib.click_server.server import LARGEST_JSON, ClickServer  # noqa: E402

KEY = "a-key-that-nobody-guesses"
SHAPE, SPACING = (40, 60, 60), [2.0, 1.0, 1.0]
CENTRE = (20, 30, 32)


def image_and_ball() -> tuple[np.ndarray, np.ndarray]:
    """A ball of water with a radius of 12 mm in fat; image (1, x, y, z) and mask."""
    grid = Volume(np.zeros(SHAPE), np.diag([*SPACING[::-1], 1.0]))
    centre = tuple(grid.to_lps(np.array(CENTRE)))
    mask = ball(centre, 12.0)(grid.to_lps(np.moveaxis(np.indices(SHAPE), 0, -1)))
    noise = np.random.default_rng(0).normal(0, 12, SHAPE)
    return np.rint(np.where(mask, 5, -100) + noise).astype(np.float32)[None], mask


@pytest.fixture
def server() -> Iterator[ClickServer]:
    with ClickServer("127.0.0.1", 0, Leases(2, idle_s=60, silent_s=60), KEY) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def client(server: ClickServer) -> Iterator:
    with remote.nnInteractiveRemoteInferenceSession(f"http://127.0.0.1:{server.port}", api_key=KEY) as session:
        yield session


def ready(client, dtype: type = np.uint8) -> np.ndarray:
    """Sends the image and returns the client's copy of the object."""
    client.set_image(image_and_ball()[0], {"spacing": SPACING})
    target = np.zeros(SHAPE, dtype)
    client.set_target_buffer(target)
    return target


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other)))


def ask(server: ClickServer, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(method, path, body, {"Authorization": f"Bearer {KEY}", **headers})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content else {}


@pytest.mark.parametrize("dtype", [np.uint8, np.bool_, np.int32])
def test_a_point_of_the_real_client_finds_the_ball(client, dtype: type) -> None:
    target = ready(client, dtype)
    assert client.ping() and client.original_image_shape == (1, *SHAPE)
    box = client.add_point_interaction(CENTRE, include_interaction=True)
    assert dice(target > 0, image_and_ball()[1]) > 0.95
    outside = np.array(target)
    outside[tuple(slice(*axis) for axis in box)] = 0
    assert not outside.any()


def test_later_points_refine_and_undo_takes_them_back(client) -> None:
    target = ready(client)
    client.add_point_interaction(CENTRE, include_interaction=True)
    first = target.copy()
    client.add_point_interaction((20, 30, 38), include_interaction=False)
    assert not target[20, 30, 38] and np.count_nonzero(target) < np.count_nonzero(first)
    assert client.undo()
    np.testing.assert_array_equal(target, first)
    assert client.undo() and not target.any()
    assert not client.undo()


def test_points_wait_until_they_are_asked_for(client) -> None:
    target = ready(client)
    assert client.add_point_interaction(CENTRE, include_interaction=True, run_prediction=False) is None
    assert not target.any()
    assert client._predict() is not None
    assert dice(target > 0, image_and_ball()[1]) > 0.95
    assert client._predict() is None


@pytest.mark.parametrize("cropped", [False, True])
def test_a_scribble_is_answered(client, cropped: bool) -> None:
    target = ready(client)
    scribble = np.zeros(SHAPE, np.uint8)
    scribble[20, 24:37, 32] = 1
    box = [[20, 21], [24, 37], [30, 34]] if cropped else None
    part = scribble[20:21, 24:37, 30:34] if cropped else scribble
    client.add_scribble_interaction(part, include_interaction=True, interaction_bbox=box)
    assert dice(target > 0, image_and_ball()[1]) > 0.95


def test_a_segmentation_to_begin_with_is_corrected(client) -> None:
    target = ready(client)
    _, mask = image_and_ball()
    half = mask & (np.arange(SHAPE[2]) < 32)
    client.add_initial_seg_interaction(half.astype(np.uint8))
    np.testing.assert_array_equal(target, half)
    client.add_point_interaction((20, 30, 37), include_interaction=True)
    assert dice(target > 0, mask) > 0.95
    client.reset_interactions()
    assert not target.any() and not client.undo()


def test_what_is_not_offered_is_refused_in_words(client) -> None:
    ready(client)
    offered = client.supported_interactions
    assert offered["points"] and offered["scribble"] and not offered["lasso"] and not offered["bbox2d"]
    with pytest.raises(Exception, match="400"):
        client.add_bbox_interaction([[0, 1], [0, 9], [0, 9]], include_interaction=True)


def test_clients_have_their_own_images_and_places_are_limited(server: ClickServer, client) -> None:
    address = f"http://127.0.0.1:{server.port}"
    target = ready(client)
    with remote.nnInteractiveRemoteInferenceSession(address, api_key=KEY) as second:
        with pytest.raises(remote.ServerAtCapacityError):
            remote.nnInteractiveRemoteInferenceSession(address, api_key=KEY)
        other = ready(second)
        second.add_point_interaction(CENTRE, include_interaction=True)
        assert other.any() and not target.any()
    with remote.nnInteractiveRemoteInferenceSession(address, api_key=KEY):
        pass


def test_a_lease_that_ended_is_told(server: ClickServer, client) -> None:
    server.leases.release(client._lease_token)
    with pytest.raises(remote.SessionExpiredError):
        client.add_point_interaction(CENTRE, include_interaction=True)


def test_leases_end_when_the_client_is_silent_or_its_user_idle() -> None:
    now = [0.0]
    leases = Leases(1, idle_s=100, silent_s=10, clock=lambda: now[0])
    token = leases.claim()
    with pytest.raises(Full):
        leases.claim()
    for _ in range(11):
        now[0] += 9
        assert leases.get(token).seen == now[0]
    now[0] += 2
    with pytest.raises(Gone):
        leases.get(token)
    token = leases.claim()
    now[0] += 11
    with pytest.raises(Gone):
        leases.get(token, acts=True)


def test_the_key_is_asked_for(server: ClickServer) -> None:
    assert ask(server, "POST", "/claim", Authorization="Bearer wrong")[0] == 401
    assert ask(server, "GET", "/healthz", Authorization="")[0] == 200
    assert ask(server, "GET", "/capabilities", Authorization="")[0] == 401


def test_web_pages_are_kept_out(server: ClickServer) -> None:
    status, said = ask(server, "POST", "/claim", Origin="https://example.org")
    assert status == 403 and "Web pages" in said["detail"]


def test_an_open_address_needs_a_key() -> None:
    with pytest.raises(InputError, match="--key-file"):
        ClickServer("0.0.0.0", 0, Leases(1, 60, 60))


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/nothing", b"{}", {}, 404),
        ("/add_point_interaction", b"no json", {}, 400),
        ("/add_point_interaction", b"[]", {}, 400),
        ("/add_point_interaction", b'{"coordinates": [1, 2, 999], "include_interaction": true}', {}, 400),
        ("/add_point_interaction", b'{"coordinates": [1, 2, NaN], "include_interaction": true}', {}, 400),
        ("/add_point_interaction", b'{"coordinates": "123", "include_interaction": true}', {}, 400),
        ("/set_target_buffer", b'{"shape": [1, 2, 3], "dtype": "uint8"}', {}, 400),
        ("/set_target_buffer", b'{"shape": [40, 60, 60], "dtype": "object"}', {}, 400),
        ("/set_image", b"NNIA", {}, 400),
        ("/set_image", b"", {"X-Meta": "{"}, 400),
        ("/add_point_interaction", b" " * (LARGEST_JSON + 1), {}, 413),
    ],
)
def test_bad_requests_are_answered_and_the_session_lives(client, server, path, body, headers, status) -> None:
    target = ready(client)
    answered, said = ask(server, "POST", path, body, **{"X-Lease-Token": client._lease_token, **headers})
    assert answered == status and said["detail"].endswith(".")
    client.add_point_interaction(CENTRE, include_interaction=True)
    assert target.any()


@pytest.mark.parametrize("spacing", [[0, 1, 1], [1, 1], ["1", 1, 1], [1e9, 1, 1]])
def test_an_impossible_spacing_is_refused(client, spacing: list) -> None:
    with pytest.raises(Exception, match="400"):
        client.set_image(image_and_ball()[0], {"spacing": spacing})


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "float16", "float32", "float64"])
def test_arrays_are_those_of_the_client(dtype: str) -> None:
    array = (np.arange(2 * 3 * 5).reshape(2, 3, 5) % 7).astype(dtype)
    for packed, unpacked in ((pack_array(array), unpack), (pack(array), unpack_array)):
        result = unpacked(packed)
        np.testing.assert_array_equal(result, array)
        assert result.dtype == array.dtype
    assert not unpack_array(pack(np.zeros((2, 3, 5), dtype))).any()


def header(name: bytes = b"uint8", shape: tuple = (2, 3, 5), codec: int = 1, version: int = 1) -> bytes:
    head = struct.pack("<4sBBBB", b"NNIA", version, codec, len(shape), len(name))
    return head + name + struct.pack(f"<{len(shape)}q", *shape)


def damaged() -> dict[str, bytes]:
    good = pack(np.ones((2, 3, 5), np.uint8))
    frame = good[len(header()) + 4 + 16 :]
    return {
        "empty": b"",
        "cut": good[:-3],
        "other magic": b"XXXX" + good[4:],
        "other version": header(version=9) + good[len(header()) :],
        "other codec": header(codec=7) + good[len(header()) :],
        "objects": header(name=b"object") + good[len(header()) :],
        "text": header(name=b"<U999999") + good[len(header()) :],
        "negative size": header(shape=(-2, 3, 5)) + good[len(header()) :],
        "huge": header(shape=(1 << 40, 1 << 10, 1 << 10)) + good[len(header()) :],
        "larger than told": header(shape=(1, 1, 5)) + good[len(header()) :],
        "smaller than told": header(shape=(9, 9, 9)) + good[len(header()) :],
        "no chunk": header() + struct.pack("<I", 0),
        "chunk lies about its size": header() + struct.pack("<IQQ", 1, 30, len(frame) + 99) + frame,
        "frame of another size": header(shape=(3, 3, 5)) + struct.pack("<IQQ", 1, 45, len(frame)) + frame,
        "noise for a frame": header() + struct.pack("<IQQ", 1, 30, 40) + bytes(range(40)),
    }


@pytest.mark.parametrize("case", damaged())
def test_damaged_arrays_are_refused(case: str) -> None:
    with pytest.raises(InputError):
        unpack(damaged()[case])
