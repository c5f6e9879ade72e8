"""What each request of the protocol does, apart from HTTP: from its content to the content of its answer."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from KidneySegLib import __version__
from KidneySegLib.click_server.client_state import ClientState
from KidneySegLib.click_server.leases import Leases
from KidneySegLib.click_server.packed_array import pack, unpack
from KidneySegLib.errors import InputError
from KidneySegLib.geometry.boxes import Box

# What clients may offer their user. The channels are nnInteractive's way to name them; nothing here has any.
CAPABILITIES: dict[str, Any] = {
    "supported_interactions": {
        "points": True,
        "scribble": True,
        "lasso": False,
        "bbox2d": False,
        "bbox3d": False,
    },
    "channel_mapping": {"points": [0, 1], "scribble": [2, 3]},
    "num_interaction_channels": 4,
    "supports_initial_label": True,
    "supports_zero_shot_label_refinement": False,
    "supports_undo": True,
    "preferred_scribble_thickness": [2, 2, 2],
    "interaction_decay": 1.0,
    "do_autozoom": True,
    "inference_session_version": f"KidneySeg {__version__}",
    "license": "Apache-2.0",
}
# Answers take all processors there are; clients take turns.
_TURN = threading.Lock()


@dataclass(frozen=True)
class Request:
    """A request, its sizes checked.

    Attributes:
        token: lease of the client; None if it sent none.
        meta: the header's JSON.
        body: content.
    """

    token: str | None
    meta: dict[str, Any]
    body: bytes

    def fields(self) -> dict[str, Any]:
        """Returns the body's JSON object.

        Raises:
            InputError: it is none.
        """
        try:
            fields = json.loads(self.body)
        except ValueError as error:
            raise InputError("The request is not JSON.") from error
        if not isinstance(fields, dict):
            raise InputError("The request is not a JSON object.")
        return fields


@dataclass(frozen=True)
class Reply:
    """An answer: JSON, or a packed array with JSON in the header.

    Attributes:
        fields: JSON of the body, or of the header where there is an array.
        array: packed array; None where the answer is JSON alone.
    """

    fields: dict[str, Any]
    array: bytes | None = None


Handler = Callable[[Leases, Request], Reply]
OnClient = Callable[[ClientState, Request], Reply]


def _claim(leases: Leases, request: Request) -> Reply:
    return Reply(
        {
            "lease_token": leases.claim(),
            "idle_timeout_seconds": leases.idle_s,
            "liveness_timeout_seconds": leases.silent_s,
            "max_sessions": leases.most,
        }
    )


def _release(leases: Leases, request: Request) -> Reply:
    leases.release(request.token)
    return Reply({"released": True})


def _heartbeat(leases: Leases, request: Request) -> Reply:
    return Reply({"remaining_seconds": leases.remaining_s(leases.get(request.token))})


def _lease_status(leases: Leases, request: Request) -> Reply:
    lease = leases.get(request.token, alive=False)
    return Reply({"remaining_seconds": leases.remaining_s(lease), "idle_timeout_seconds": leases.idle_s})


def _on_client(action: OnClient) -> Handler:
    """Answers an action of the user on the image and the object of a lease."""

    def answer(leases: Leases, request: Request) -> Reply:
        lease = leases.get(request.token, acts=True)
        with lease.lock:
            return action(lease.client, request)

    return answer


def _set_image(client: ClientState, request: Request) -> Reply:
    client.set_image(unpack(request.body), request.meta.get("image_properties"))
    return Reply({"original_image_shape": [1, *client.shape]})


def _set_target(client: ClientState, request: Request) -> Reply:
    fields = request.fields()
    client.set_target(fields.get("shape"), fields.get("dtype"))
    return Reply({})


def _reset(client: ClientState, request: Request) -> Reply:
    client.restart()
    return Reply({})


def _initial(client: ClientState, request: Request) -> Reply:
    client.restart(unpack(request.body))
    return _changed(client, None, ran=False)


def _point(client: ClientState, request: Request) -> Reply:
    fields = request.fields()
    client.click(fields.get("coordinates"), bool(fields.get("include_interaction")))
    return _answered(client, fields)


def _scribble(client: ClientState, request: Request) -> Reply:
    meta = request.meta
    client.scribble(unpack(request.body), meta.get("interaction_bbox"), bool(meta.get("include_interaction")))
    return _answered(client, meta)


def _predict(client: ClientState, request: Request) -> Reply:
    if not client.waiting:
        return _changed(client, None, ran=False)
    return _answered(client, {})


def _undo(client: ClientState, request: Request) -> Reply:
    change = client.undo()
    return _changed(client, change.box if change else None, ran=change is not None)


def _refuse(client: ClientState, request: Request) -> Reply:
    raise InputError("This server answers points and scribbles. Boxes and lassos need nnInteractive's own network.")


def _answered(client: ClientState, fields: dict[str, Any]) -> Reply:
    """Answers what waits, unless the client wants it later."""
    if not fields.get("run_prediction", True):
        return _changed(client, None, ran=False)
    with _TURN:
        box = client.answer()
    return _changed(client, box, ran=True)


def _changed(client: ClientState, box: Box | None, *, ran: bool) -> Reply:
    """Returns the part of the object that a client must copy."""
    if box is None:
        return Reply({"ran_prediction": ran, "bbox": None}, b"")
    part = client.part(box)
    bounds = [[side.start, side.stop] for side in box]
    fields = {"ran_prediction": ran, "bbox": bounds, "dtype": part.dtype.name, "shape": list(part.shape)}
    return Reply(fields, pack(part))


GET: dict[str, Handler] = {
    "/healthz": lambda leases, request: Reply({"ok": True}),
    "/capabilities": lambda leases, request: Reply(CAPABILITIES),
    "/lease_status": _lease_status,
}
POST: dict[str, Handler] = {
    "/claim": _claim,
    "/release": _release,
    "/heartbeat": _heartbeat,
    "/set_image": _on_client(_set_image),
    "/set_target_buffer": _on_client(_set_target),
    "/set_do_autozoom": _on_client(lambda client, request: Reply({})),  # an answer always has the reach it needs
    "/reset_interactions": _on_client(_reset),
    "/undo": _on_client(_undo),
    "/predict": _on_client(_predict),
    "/add_point_interaction": _on_client(_point),
    "/add_scribble_interaction": _on_client(_scribble),
    "/add_initial_seg_interaction": _on_client(_initial),
    "/add_lasso_interaction": _on_client(_refuse),
    "/add_bbox_interaction": _on_client(_refuse),
}
# Requests whose body is a packed array, which may be large.
WITH_ARRAY = ("/set_image", "/add_scribble_interaction", "/add_initial_seg_interaction", "/add_lasso_interaction")
