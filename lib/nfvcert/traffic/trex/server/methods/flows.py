"""Extension of the protocol: the flow mode, in which the engine keeps thousands of flows alive and accounts for each.

flow_prepare {handler, port_id, parameters, force} -> {}; flow_start -> {t_ns}; flow_update {changes};
flow_burst {changes}; flow_intervals {since} -> {intervals, next, dropped, state}; flow_stop -> {summary}.
Preparing and stopping take their time: they answer with a ticket. Streams of the same port run beside it; the engine
gives the flow mode what is its own, and counts the rest for packet groups.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nfvcert.traffic.trex.server.context import Context
from nfvcert.traffic.trex.server.errors import RpcError, invalid
from nfvcert.traffic.trex.server.flow_runs import FlowRun
from nfvcert.traffic.trex.server.methods.common import Handler, owned_port, port_of
from nfvcert.traffic.trex.server.parameters import Parameters
from nfvcert.traffic.trex.server.ports import Port
from nfvcert.traffic.trex.server.rates import FRAME_CHECK, Load, check_line, load_of

MOST_AT_ONCE = 2_000
"""Intervals in one answer."""


def flow_prepare(context: Context, parameters: Parameters) -> Any:
    """Make the first population of flows; ``parameters`` are the engine's, the sending port is the request's."""
    port = owned_port(context, parameters)
    wanted = parameters.mapping("parameters")
    if port.flow_mode in ("running", "stopping"):
        raise RpcError("the flow mode runs already", where=f"port {port.index}", hint="flow_stop first")
    load = _checked_load(port, wanted, force=parameters.flag("force", False))
    _check_receiver(context, port, wanted)
    _check_output(context, wanted)
    run = FlowRun(port.index, wanted)

    def ready(answer: dict[str, Any]) -> dict[str, Any]:
        context.flows[port.index] = run
        port.flow_mode, port.flow_load = "prepared", load
        return _without_form(answer)

    raise context.order_later("flow_prepare", {**wanted, "tx_port": port.index}, ready, lambda: None)


def flow_start(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Start what was prepared."""
    port = _in_flow_mode(context, parameters, "prepared")
    answer = context.order("flow_start", tx_port=port.index)
    port.flow_mode = "running"
    context.log.say("flow-started", port=port.index)
    return _without_form(answer)


def flow_update(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change packets or new flows a second while it runs."""
    port = _in_flow_mode(context, parameters, "running")
    changes = parameters.mapping("changes")
    run = context.flows[port.index]
    load = _checked_load(port, {**run.parameters, **changes}, force=parameters.flag("force", False))
    answer = context.order("flow_update", **{**changes, "tx_port": port.index})
    run.parameters, port.flow_load = {**run.parameters, **changes}, load
    return _without_form(answer)


def flow_burst(context: Context, parameters: Parameters) -> dict[str, Any]:
    """More new flows for a moment."""
    port = _in_flow_mode(context, parameters, "running")
    return _without_form(context.order("flow_burst", **{**parameters.mapping("changes"), "tx_port": port.index}))


def flow_intervals(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What was seen in intervals, from number ``since`` on."""
    port = port_of(context, parameters)
    run = context.flows.get(port.index)
    if run is None:
        raise RpcError("no flow mode was prepared", where=f"port {port.index}")
    return run.intervals(parameters.integer("since", 0), MOST_AT_ONCE) | {"state": port.flow_mode or "stopped"}


def flow_stop(context: Context, parameters: Parameters) -> Any:
    """Stop, settle, then read: the answer is the summary."""
    port = _in_flow_mode(context, parameters, "running", "prepared")
    if port.flow_mode == "prepared":
        _idle(port)  # the engine forgets it with the next that is prepared
        return {}
    raise stop_flows(context, port)


def stop_flows(context: Context, port: Port) -> RpcError:
    """Begin to stop; raise what this returns, or leave it."""

    def stopped(answer: dict[str, Any]) -> dict[str, Any]:
        _idle(port)
        context.log.say("flow-stopped", port=port.index)
        summary: dict[str, Any] = answer.get("summary", _without_form(answer))
        return {"summary": summary}

    waiting = context.order_later("flow_stop", {"tx_port": port.index}, stopped, lambda: _idle(port))
    port.flow_mode = "stopping"
    return waiting


def _idle(port: Port) -> None:
    port.flow_mode, port.flow_load = None, Load()


def _in_flow_mode(context: Context, parameters: Parameters, *wanted: str) -> Port:
    port = owned_port(context, parameters)
    if port.flow_mode not in wanted:
        found = port.flow_mode or "stopped"
        hint = "flow_prepare first" if port.flow_mode is None else ""
        raise RpcError(
            f"the flow mode is to be {' or '.join(wanted)}", where=f"port {port.index}", found=found, hint=hint
        )
    return port


def _checked_load(port: Port, wanted: dict[str, Any], *, force: bool) -> Load:
    """What is asked for, frames of the mean size (with frame check sequence), beside streams within the line rate."""
    pps = wanted.get("pps", 0)
    if pps == "max":
        return Load()  # as many as the engine can send
    sizes = wanted.get("sizes") or [{"frame": wanted.get("frame", 64)}]
    shares: list[tuple[Any, Any]] = [
        (size.get("frame"), size.get("weight", 1)) if isinstance(size, dict) else (size, 1) for size in sizes
    ]
    numbers = [pps, *(number for share in shares for number in share)]
    if any(isinstance(number, bool) or not isinstance(number, int | float) or number <= 0 for number in numbers):
        raise invalid("'pps' and frame sizes are to be positive numbers", where="flow_prepare", found=str(numbers)[:80])
    mean = sum(frame * weight for frame, weight in shares) / sum(weight for _, weight in shares)
    load = load_of(pps, mean - FRAME_CHECK)
    check_line(port.stream_load() + load, port.speed_bps, port.index, force=force)
    return load


def _check_receiver(context: Context, port: Port, wanted: dict[str, Any]) -> None:
    receiver = wanted.get("rx_port", port.index ^ 1)
    if isinstance(receiver, bool) or receiver not in context.ports:
        raise RpcError("no such receiving port", where=f"port {port.index}", found=str(receiver))


def _check_output(context: Context, wanted: dict[str, Any]) -> None:
    folder, file = context.options.output_folder, wanted.get("flows_file")
    if file is None:
        return
    if not isinstance(file, str) or not Path(file).is_absolute():
        raise invalid("'flows_file' is to be an absolute path", where="flow_prepare", found=str(file)[:80])
    if folder is not None and not Path(file).resolve().is_relative_to(folder.resolve()):
        raise RpcError("flow tables are written elsewhere", where="flow_prepare", found=file, hint=f"below {folder}")


def _without_form(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key not in ("ok", "id")}


METHODS: dict[str, Handler] = {
    "flow_prepare": flow_prepare,
    "flow_start": flow_start,
    "flow_update": flow_update,
    "flow_burst": flow_burst,
    "flow_intervals": flow_intervals,
    "flow_stop": flow_stop,
}
