"""Process of the TRex client: ``python -m nfvcert.traffic.trex.worker``; orders and answers are JSON lines.

The client is the unmodified ``lbr-trex-client``. It brings its own versions of scapy, yaml and zmq, which cannot live
in a process beside others; so nothing but the standard library is imported before it, and packets are octets.

``{"op": NAME, "id": N, ...}`` is answered by ``{"event": "answer", "ok": true, "id": N, ...}`` or by ``"ok": false``
with ``kind`` (refused, timeout, connection, unknown-method, fault) and ``error``, a text. Standard output belongs to
the answers alone.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

from nfvcert.promptness import answer_promptly
from nfvcert.traffic.trex.building import build_stream

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_UNKNOWN_METHOD = -32601
_WORK_IN_PROGRESS = -32002
_TICKET_POLL_S = 0.05
_TRAFFIC_POLL_S = 0.002


class Trouble(Exception):
    """An order that failed; ``kind`` says how."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Worker:
    """Carries out orders with one client.

    Args:
        api: the module ``trex.stl.api``.
    """

    def __init__(self, api: Any) -> None:
        self._api = api
        self._client: Any = None
        self.orders: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "connect": self.connect,
            "disconnect": self.disconnect,
            "reset": self.reset,
            "add_streams": self.add_streams,
            "remove_streams": self.remove_streams,
            "start": self.start,
            "update": self.update,
            "pause": self.pause,
            "resume": self.resume,
            "stop": self.stop,
            "wait": self.wait,
            "settle": self.settle,
            "rpc": self.rpc,
            "state": self.state,
        }

    def carry_out(self, order: dict[str, Any]) -> dict[str, Any]:
        """The answer to an order."""
        number = order.get("id")
        try:
            handler = self.orders.get(str(order.get("op")))
            if handler is None:
                raise Trouble("fault", f"there is no order {order.get('op')!r}")
            return {"event": "answer", "ok": True, "id": number, **handler(order)}
        except Trouble as trouble:
            kind, text = trouble.kind, str(trouble)
        except self._api.TRexTimeoutError as error:
            kind, text = "timeout", str(error)
        except self._api.TRexError as error:
            kind, text = ("refused" if self._connected() else "connection"), str(error)
        except Exception as error:  # whatever the client raises is the other side's to know
            traceback.print_exc()
            kind, text = "fault", f"{type(error).__name__}: {error}"
        error_text = " ".join(_COLOURS.sub("", text).split())
        return {"event": "answer", "ok": False, "id": number, "kind": kind, "error": error_text}

    def connect(self, order: dict[str, Any]) -> dict[str, Any]:
        """Connect and take ports (default: all)."""
        client = self._api.STLClient(
            username=order["user"],
            server=order["server"],
            sync_port=order["rpc"],
            async_port=order["publisher"],
            verbose_level="error",
        )
        client.connect()
        self._client = client
        client.acquire(ports=order.get("ports"), force=bool(order.get("force", False)), sync_streams=False)
        described = client.get_server_system_info()["ports"]
        version = client.get_server_version()
        return {
            "version": version.get("version", ""),
            "methods": client.get_server_supported_cmds(),
            "acquired": client.get_acquired_ports(),
            "ports": [
                {
                    "index": port["index"],
                    "description": port.get("description", ""),
                    "mac": port.get("hw_mac", ""),
                    "speed_gbps": client.ports[port["index"]].get_speed_gbps(),
                }
                for port in described
            ],
        }

    def disconnect(self, order: dict[str, Any]) -> dict[str, Any]:
        """Give ports up and disconnect."""
        if self._client is not None and self._connected():
            self._client.disconnect(stop_traffic=True, release_ports=True)
        return {}

    def reset(self, order: dict[str, Any]) -> dict[str, Any]:
        """Stop, remove all streams, clear counters."""
        self._needed().reset(ports=order["ports"])
        return {}

    def add_streams(self, order: dict[str, Any]) -> dict[str, Any]:
        """Add streams to a port; answers their numbers."""
        streams = [build_stream(self._api, described) for described in order["streams"]]
        numbers = self._needed().add_streams(streams, ports=[order["port"]])
        return {"ids": numbers if isinstance(numbers, list) else [numbers]}

    def remove_streams(self, order: dict[str, Any]) -> dict[str, Any]:
        """Remove all streams of ports."""
        self._needed().remove_all_streams(ports=order["ports"])
        return {}

    def start(self, order: dict[str, Any]) -> dict[str, Any]:
        """Start ports; times are CLOCK_MONOTONIC of this machine, before and after the request."""
        client = self._needed()
        before = time.monotonic_ns()
        answers = client.start(
            ports=order["ports"],
            mult=order["multiplier"],
            duration=order["duration_s"],
            force=bool(order.get("force", False)),
        )
        told = answers.data() if hasattr(answers, "data") else []
        told = told if isinstance(told, list) else [told]
        factors = [answer.get("multiplier") if isinstance(answer, dict) else None for answer in told]
        return {"t_ns": before, "t_answered_ns": time.monotonic_ns(), "factors": factors}

    def update(self, order: dict[str, Any]) -> dict[str, Any]:
        """Change the rate of ports."""
        self._needed().update(ports=order["ports"], mult=order["multiplier"], force=bool(order.get("force", False)))
        return {"t_ns": time.monotonic_ns()}

    def pause(self, order: dict[str, Any]) -> dict[str, Any]:
        """Pause ports."""
        self._needed().pause(ports=order["ports"])
        return {}

    def resume(self, order: dict[str, Any]) -> dict[str, Any]:
        """Let ports go on."""
        self._needed().resume(ports=order["ports"])
        return {}

    def stop(self, order: dict[str, Any]) -> dict[str, Any]:
        """Stop ports that are active; those that are not stay as they are. Receive filters stay until ``settle``."""
        client = self._needed()
        active = sorted(set(client.get_active_ports()) & set(order["ports"]))
        for index in active:
            answer = client.ports[index].stop(profile_id="*")
            if not answer:
                raise Trouble("refused", str(answer))
        return {"stopped": active, "t_ns": time.monotonic_ns()}

    def wait(self, order: dict[str, Any]) -> dict[str, Any]:
        """Wait until no port is active any more, or time is over; answers which is the case and when."""
        client = self._needed()
        deadline = time.monotonic() + order["timeout_s"]
        ports = set(order["ports"])
        while (active := ports & set(client.get_active_ports())) and time.monotonic() < deadline:
            if not self._connected():
                raise Trouble("connection", "the connection was lost while traffic was running")
            time.sleep(_TRAFFIC_POLL_S)
        return {"finished": not active, "active": sorted(active), "t_ns": time.monotonic_ns()}

    def settle(self, order: dict[str, Any]) -> dict[str, Any]:
        """Have the server stop looking for packets of ports that no longer send."""
        self._needed().wait_on_traffic(ports=order["ports"], timeout=1, rx_delay_ms=0)
        return {}

    def rpc(self, order: dict[str, Any]) -> dict[str, Any]:
        """Requests over the client's own connection, ``[[method, parameters], ...]`` as one batch.

        An owned port's handler is added where ``handler`` is null. A single request whose answer takes long is waited
        for.
        """
        client = self._needed()
        requests = [(method, self._with_handler(parameters)) for method, parameters in order["requests"]]
        if len(requests) == 1:
            return {"results": [self._request(client, *requests[0], order.get("timeout_s", 10.0))]}
        commands = [self._command(method, parameters) for method, parameters in requests]
        answers = list(client.conn.rpc.transmit_batch(commands))
        if len(answers) != len(requests):
            raise Trouble("connection", str(answers[0]) if answers else "no answer")
        return {
            "results": [self._result(answer, method) for answer, (method, _) in zip(answers, requests, strict=True)]
        }

    def state(self, order: dict[str, Any]) -> dict[str, Any]:
        """Whether it is connected, which ports it holds and which of them send, and what the server told it to know."""
        connected = self._connected()
        events = [f"{event.ev_type}: {event.msg}" for event in self._client.get_events()] if self._client else []
        return {
            "connected": connected,
            "acquired": self._client.get_acquired_ports() if connected else [],
            "active": self._client.get_active_ports() if connected else [],
            "events": [_COLOURS.sub("", event) for event in events[-100:]],
        }

    def _request(self, client: Any, method: str, parameters: dict[str, Any], timeout_s: float) -> Any:
        deadline = time.monotonic() + timeout_s
        answer = client.conn.rpc.invoke_rpc_method(method, parameters)
        while not answer and answer.errno() == _WORK_IN_PROGRESS:
            ticket = {"ticket_id": int(answer.err())}
            if time.monotonic() > deadline:
                client.conn.rpc.invoke_rpc_method("cancel_async_task", ticket)
                raise Trouble("timeout", f"{method}: not done within {timeout_s:g} s")
            time.sleep(_TICKET_POLL_S)
            answer = client.conn.rpc.invoke_rpc_method("get_async_results", ticket)
        return self._result(answer, method)

    def _result(self, answer: Any, method: str) -> Any:
        if answer:
            return answer.data()
        if answer.errno() == _UNKNOWN_METHOD:
            raise Trouble("unknown-method", f"the server does not know {method}")
        raise Trouble("refused" if self._connected() else "connection", f"{method}: {answer.err()}")

    def _with_handler(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if "handler" in parameters and parameters["handler"] is None:
            return {**parameters, "handler": self._needed().ports[parameters["port_id"]].handler}
        return dict(parameters)

    def _command(self, method: str, parameters: dict[str, Any]) -> Any:
        from trex.common.trex_types import RpcCmdData

        return RpcCmdData(method, parameters, "")

    def _needed(self) -> Any:
        if self._client is None or not self._connected():
            raise Trouble("connection", self._cause() or "not connected")
        return self._client

    def _connected(self) -> bool:
        return self._client is not None and bool(self._client.is_connected())

    def _cause(self) -> str:
        return str(self._client.conn.get_disconnection_cause() or "") if self._client is not None else ""


def main() -> int:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the client prints is no answer
    warnings.simplefilter("ignore")
    import lbr_trex_client  # noqa: F401  (it puts the client where it is imported from)
    from trex.stl import api

    worker = Worker(api)
    answer_promptly()
    for line in sys.stdin:
        answer = worker.carry_out(json.loads(line))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    worker.carry_out({"op": "disconnect"})
    answers.close()
    return 0


if __name__ == "__main__":
    status = main()
    os._exit(status)  # the client's threads are not waited for
