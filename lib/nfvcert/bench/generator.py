"""``nfvcert bench generator``: the packet engine beside testpmd, trafgen and scapy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nfvcert.bench.machine import core_distance, describe_machine, versions
from nfvcert.bench.native import Engine, FlowLoad, memif
from nfvcert.bench.noise import NoiseWatch
from nfvcert.bench.peers.testpmd import Testpmd
from nfvcert.bench.peers.veth_senders import measure_scapy, measure_trafgen
from nfvcert.bench.results import Reading, Report
from nfvcert.bench.room import Room
from nfvcert.bench.rounds import Contender, Tell, take_turns

MEMIF, VETH = "memif", "veth, AF_PACKET"
ENGINE, STREAM, FLOWGEN, TXONLY = "engine, flows", "engine, one packet", "testpmd flowgen", "testpmd txonly"
TRAFGEN, SCAPY, SENDP = "trafgen", "scapy L2socket", "scapy sendp"
FLOWS = 65_536
FLOW_STEPS = (1_000, 10_000, 65_536, 262_144, 1_000_000)
FRAME_STEPS = (64, 128, 256, 512, 1024, 1280, 1518)
IMIX = ((64, 7), (594, 4), (1518, 1))
IMIX_TEXT = "simple IMIX 7:4:1 of frames of 64, 594 and 1518 octets with check sequence (IP packets of 40, 576, 1500)"
FLOWGEN_TARGET, TRAFGEN_TARGET = 1.0, 10.0
WARM_UP_S = 0.5
COMPARISON, FLOWS_PART, FRAMES_PART = "comparison", "flows", "frames"
PARTS = (COMPARISON, FLOWS_PART, FRAMES_PART)
OVERHEAD_S = 3.5
"""What starting and ending the programs of a measurement takes."""


@dataclass(frozen=True, slots=True)
class GeneratorSettings:
    """What is measured, and how.

    Attributes:
        repeats: of the comparison; the parts with more work take half as many.
        seconds: length of one measurement.
        ring: packets that a ring of memif holds.
        parts: of PARTS, those that are measured.
    """

    repeats: int = 5
    seconds: float = 3.0
    ring: int = 2048
    parts: tuple[str, ...] = PARTS


def run_generator_bench(room: Room, settings: GeneratorSettings, tell: Tell) -> Report:
    """Measure all contenders in turn, then the cost of more work."""
    watch = NoiseWatch()
    report = Report("generator", asdict(settings), describe_machine(), versions())
    report.settings |= {"cores": asdict(room.cores), "flows": FLOWS, "frame": 64, "imix": IMIX_TEXT}
    distance = partial(core_distance, room.cores.generator, room.cores.device)
    few = max(1, settings.repeats // 2)
    plan = [
        (part, contenders(room, settings), settings.repeats if part == COMPARISON else few)
        for part, contenders in _PARTS.items()
        if part in settings.parts
    ]
    readings = sum(len(contenders) * repeats for _, contenders, repeats in plan)
    minutes = readings * (settings.seconds + OVERHEAD_S) / 60
    tell(
        f"{readings} measurements of {settings.seconds:g} s, about {minutes:.0f} min; generator on core "
        f"{room.cores.generator}, device on core {room.cores.device}"
    )
    for part, contenders, repeats in plan:
        tell(f"{part}: {len(contenders)} contenders, {repeats} repeats in alternating order")
        report.series += take_turns(contenders, repeats, tell, distance)
    _judge(report)
    report.notes += [
        "memif: one port, sent back by testpmd macswap on the other core; the rate is that of packets sent",
        "engine, flows: each packet has flow, sequence number, time and a valid UDP checksum, every packet that comes "
        "back is accounted by flow, with its latency; testpmd flowgen counts packets",
        f"engine, flows: at most the {settings.ring} packets of a ring are on their way, so that the device has room "
        "for each of them; testpmd flowgen's own losses are those of its readings (sent, received)",
        "trafgen and scapy have no memif; their rate is what arrives at the other end of a veth pair",
    ]
    report.noise = watch.finish()
    return report


def _judge(report: Report) -> None:
    """Ratios, and what has to be zero."""
    report.compare(ENGINE, FLOWGEN, target=FLOWGEN_TARGET)
    report.compare(ENGINE, TRAFGEN, target=TRAFGEN_TARGET)
    report.compare(ENGINE, SCAPY)
    report.compare(ENGINE, SENDP)
    report.compare(STREAM, TXONLY)
    for series in report.series:
        if series.contender == ENGINE and series.point:
            report.compare(ENGINE, FLOWGEN, **series.point)
    readings = [reading for series in report.series if series.contender == ENGINE for reading in series.readings]
    if readings:
        for name, what in (
            ("lost", "packets that the engine sent and that did not come back"),
            ("not_accounted", "packets that came back and were not accounted"),
        ):
            report.check(what, sum(int(reading.details[name]) for reading in readings), "packets", "<=", 0)


def _contenders(room: Room, settings: GeneratorSettings) -> list[Contender]:
    seconds, core = settings.seconds, room.cores.generator
    there_and_back = partial(_engine, room, settings)
    return [
        Contender(ENGINE, MEMIF, partial(there_and_back, FlowLoad(FLOWS))),
        Contender(FLOWGEN, MEMIF, partial(_testpmd, room, settings, "flowgen", FLOWS, 64)),
        Contender(STREAM, MEMIF, partial(_stream, room, settings)),
        Contender(TXONLY, MEMIF, partial(_testpmd, room, settings, "txonly", None, 64)),
        Contender(TRAFGEN, VETH, _in_folder(room, lambda folder: measure_trafgen(core, folder, seconds))),
        Contender(SCAPY, VETH, _in_folder(room, lambda folder: measure_scapy(core, folder, seconds, "socket"))),
        Contender(SENDP, VETH, _in_folder(room, lambda folder: measure_scapy(core, folder, seconds, "sendp"))),
    ]


def _flow_steps(room: Room, settings: GeneratorSettings) -> list[Contender]:
    contenders = []
    for flows in FLOW_STEPS:
        point = {"flows": flows}
        contenders.append(Contender(ENGINE, MEMIF, partial(_engine, room, settings, FlowLoad(flows)), point))
        contenders.append(Contender(FLOWGEN, MEMIF, partial(_testpmd, room, settings, "flowgen", flows, 64), point))
    return contenders


def _frame_steps(room: Room, settings: GeneratorSettings) -> list[Contender]:
    contenders = []
    for frame in FRAME_STEPS:
        point = {"frame": frame}
        load = FlowLoad(FLOWS, frame)
        contenders.append(Contender(ENGINE, MEMIF, partial(_engine, room, settings, load), point))
        contenders.append(Contender(FLOWGEN, MEMIF, partial(_testpmd, room, settings, "flowgen", FLOWS, frame), point))
    mixed = FlowLoad(FLOWS, sizes=IMIX)
    contenders.append(Contender(ENGINE, MEMIF, partial(_engine, room, settings, mixed), {"frame": "IMIX"}))
    return contenders


_PARTS: dict[str, Callable[[Room, GeneratorSettings], list[Contender]]] = {
    COMPARISON: _contenders,
    FLOWS_PART: _flow_steps,
    FRAMES_PART: _frame_steps,
}


def _in_folder(room: Room, measure: Callable[[Path], Reading]) -> Callable[[], Reading]:
    return lambda: measure(room.folder())


def device_string(socket: Path, role: str, ring: int, number: int = 0) -> str:
    """A memif port as testpmd takes it."""
    return f"net_memif{number},role={role},socket={socket},socket-abstract=no,rsize={ring.bit_length() - 1}"


def back_by_macswap(room: Room, folder: Path, sockets: Sequence[Path], ring: int) -> Testpmd:
    """testpmd on the device's core: one port sends back, two forward from one to the other."""
    devices = [device_string(socket, "client", ring, number) for number, socket in enumerate(sockets)]
    return Testpmd("device", "macswap", devices, core=room.cores.device, folder=folder)


def _engine(room: Room, settings: GeneratorSettings, load: FlowLoad) -> Reading:
    folder = room.folder()
    socket = folder / "link.sock"
    with ExitStack() as stack:
        ports = {"0": memif(socket, "server", settings.ring)}
        engine = stack.enter_context(Engine(folder, ports, room.cores.generator))
        device = stack.enter_context(back_by_macswap(room, folder, [socket], settings.ring))
        engine.await_links()
        device.forward()
        summary = engine.trial(load, None, settings.seconds, outstanding=settings.ring)
        returned = device.read()[0].tx_packets
    details = {**trial_details(summary), "returned": returned, "not_accounted": returned - summary["received_packets"]}
    return Reading(summary["sent"] / summary["duration_s"], details)


def trial_details(summary: dict[str, Any]) -> dict[str, Any]:
    """What of the engine's summary belongs into a report."""
    latency = summary["latency_ns"]["direct"]
    kept = ("sent", "received", "lost", "duplicates", "reordered", "receiver_drops", "send_errors", "duration_s")
    return {
        **{name: summary[name] for name in kept},
        "latency_us": {name: latency[name] / 1000 for name in ("p50", "p99", "max")},
    }


def _stream(room: Room, settings: GeneratorSettings) -> Reading:
    folder = room.folder()
    socket = folder / "link.sock"
    with ExitStack() as stack:
        ports = {"0": memif(socket, "server", settings.ring)}
        engine = stack.enter_context(Engine(folder, ports, room.cores.generator))
        devices = [device_string(socket, "client", settings.ring)]
        device = stack.enter_context(Testpmd("device", "rxonly", devices, core=room.cores.device, folder=folder))
        engine.await_links()
        device.forward()
        rate = engine.repeat_packet(_plain_packet(), settings.seconds)
    return Reading(rate)


def _plain_packet() -> bytes:
    ethernet = bytes.fromhex("024e46020001024e460000000800")
    ip = bytes.fromhex("4500002e00000000401100000a000001c6130001")
    return (ethernet + ip + bytes.fromhex("04000009001a0000")).ljust(60, b"\0")


def _testpmd(room: Room, settings: GeneratorSettings, mode: str, flows: int | None, frame: int) -> Reading:
    folder = room.folder()
    socket = folder / "link.sock"
    with ExitStack() as stack:
        devices = [device_string(socket, "server", settings.ring)]
        sender = stack.enter_context(
            Testpmd("sender", mode, devices, core=room.cores.generator, folder=folder, frame=frame, flows=flows)
        )
        back = "macswap" if mode == "flowgen" else "rxonly"
        devices = [device_string(socket, "client", settings.ring)]
        device = stack.enter_context(Testpmd("device", back, devices, core=room.cores.device, folder=folder))
        device.await_links()
        device.forward()
        sender.forward()
        time.sleep(WARM_UP_S)
        before = sender.read()[0]
        time.sleep(settings.seconds)
        after = sender.read()[0]
    sent, received = after.tx_packets - before.tx_packets, after.rx_packets - before.rx_packets
    return Reading(sent / (after.t - before.t), {"sent": sent, "received": received})
