"""Ports: who owns them, what is configured, and their profiles' states."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from nfvcert.traffic.trex.server.errors import RpcError
from nfvcert.traffic.trex.server.graph import Outline, check_links, outline
from nfvcert.traffic.trex.server.rates import Load
from nfvcert.traffic.trex.server.streams import Addresses, Stream

DEFAULT_PROFILE = "_"
ALL_PROFILES = "*"
FILE_PROFILE = "*file"
"""The engine's name for a capture file that is sent; no client's profile has such a name."""
MOST_STREAMS = 20_000
MOST_PROFILES = 256


class State(Enum):
    """State of a profile; a port's state is that of its most active profile."""

    IDLE = "IDLE"
    STREAMS = "STREAMS"
    PAUSE = "PAUSE"
    TX = "TX"
    PCAP_TX = "PCAP_TX"
    """Of ports only: a capture file is sent."""


_ACTIVITY = [State.IDLE, State.STREAMS, State.PAUSE, State.TX]


@dataclass
class Profile:
    """A named set of streams of a port, started and stopped together."""

    streams: dict[int, Stream] = field(default_factory=dict)
    running: State | None = None
    """TX or PAUSE while it runs."""
    factor: float = 1.0
    started_ns: int = 0
    """When the engine started it last (its clock)."""
    loaded: bool = False
    """Whether the engine has these streams as they are."""
    known: bool = False
    """Whether the engine has heard of the profile."""

    @property
    def state(self) -> State:
        """Its state."""
        return self.running or (State.STREAMS if self.streams else State.IDLE)

    def outline(self, speed_bps: float) -> Outline:
        """What it sends over time at multiplier 1. Raises: RpcError when streams do not fit together."""
        check_links(self.streams)
        return outline(self.streams, speed_bps)


@dataclass(frozen=True)
class Owner:
    """Who holds a port; ``handler`` is what the holder shows with each order."""

    user: str
    session: int | str
    handler: str


@dataclass
class Port:
    """A port of the generator."""

    index: int
    name: str
    mac: str
    kind: str
    speed_bps: float
    link_up: bool = True
    owner: Owner | None = None
    former: str = ""
    """How the last ownership ended, for the error of one who still believes in it."""
    profiles: dict[str, Profile] = field(default_factory=dict)
    destination_mac: str | None = None
    source_ip: str | None = None
    destination_ip: str | None = None
    ipv6: dict[str, Any] = field(default_factory=lambda: {"enabled": False})
    vlan: list[int] = field(default_factory=list)
    promiscuous: bool = True
    multicast: bool = True
    service: bool = False
    service_filtered: bool = False
    rx_queue: int = 0
    """Packets that the receive queue keeps; 0: there is none."""
    rx_capture: int | None = None
    """The engine's capture that is the receive queue."""
    highest_stream: int = 0
    file_started_ns: int | None = None
    """When the engine began to send a capture file (its clock); None: it sends none."""
    flow_mode: str | None = None
    """"prepared", "running" or "stopping" while the flow mode sends by the port."""
    flow_load: Load = field(default_factory=Load)
    """What it was asked to send."""

    @property
    def speed_gbps(self) -> float:
        """Line rate in Gbit/s."""
        return self.speed_bps / 1e9

    @property
    def state(self) -> State:
        """The state of its most active profile; TX as well while the flow mode sends, PCAP_TX while a file is sent."""
        if self.file_started_ns is not None:
            return State.PCAP_TX
        if self.flow_mode in ("running", "stopping"):
            return State.TX
        return max((profile.state for profile in self.profiles.values()), key=_ACTIVITY.index, default=State.IDLE)

    @property
    def addresses(self) -> Addresses:
        """MAC addresses that packets get whose stream leaves them to the port."""
        return Addresses(_octets(self.mac), _octets(self.destination_mac or "00:00:00:00:00:00"))

    def acquire(self, user: str, session: int | str, *, force: bool) -> Owner:
        """Take it.

        Raises:
            RpcError: another session holds it and ``force`` is not set.
        """
        if self.owner is not None and not force:
            raise RpcError(
                "the port is taken",
                where=f"port {self.index}",
                found=f"owner {self.owner.user}",
                hint="acquire it by force",
            )
        if self.owner is not None:
            self.former = f"taken by {user}"
        self.owner = Owner(user, session, secrets.token_hex(4))
        return self.owner

    def release(self, how: str) -> Owner | None:
        """Give it up; what runs goes on. Answers who held it."""
        owner, self.owner = self.owner, None
        self.former = how
        return owner

    def check_handler(self, handler: object) -> Owner:
        """Whether the order comes from the owner.

        Raises:
            RpcError: it does not.
        """
        if self.owner is None or handler != self.owner.handler:
            found = f"owner {self.owner.user}" if self.owner else "no owner"
            if self.former:
                found += f", last {self.former}"
            raise RpcError(
                "the port is not owned by this session", where=f"port {self.index}", found=found, hint="acquire it"
            )
        return self.owner

    def profile(self, name: str) -> Profile:
        """A profile that is there.

        Raises:
            RpcError: it is not.
        """
        if name not in self.profiles:
            known = ", ".join(sorted(self.profiles)) or "none"
            raise RpcError("no such profile", where=f"port {self.index}", found=name, hint=f"there are: {known}")
        return self.profiles[name]

    def add_stream(self, profile_name: str, stream: Stream) -> None:
        """Add a stream to a profile, which begins with it if it is not there.

        Raises:
            RpcError: the profile runs, the number is in use, or there are too many.
        """
        where = f"port {self.index}, profile {profile_name}"
        profile = self.profiles.get(profile_name, Profile())
        if profile.running:
            raise RpcError("streams cannot be added to a profile that runs", where=where, hint="stop it")
        for name, other in self.profiles.items():
            if stream.number in other.streams:
                raise RpcError("the stream's number is in use", where=where, found=f"{stream.number} in profile {name}")
        if sum(len(other.streams) for other in self.profiles.values()) >= MOST_STREAMS:
            raise RpcError(f"a port takes at most {MOST_STREAMS} streams", where=where)
        if profile_name not in self.profiles and len(self.profiles) >= MOST_PROFILES:
            raise RpcError(f"a port takes at most {MOST_PROFILES} profiles", where=where)
        self.profiles[profile_name] = profile
        profile.streams[stream.number] = stream
        profile.loaded = False
        self.highest_stream = max(self.highest_stream, stream.number)

    def selected(self, name: str) -> list[str]:
        """Names of the profiles that a request means."""
        return sorted(self.profiles) if name == ALL_PROFILES else [name]

    def present_load(self, *, without: str | None = None) -> Load:
        """What streams and the flow mode send at most at once."""
        return self.stream_load(without=without) + self.flow_load

    def stream_load(self, *, without: str | None = None) -> Load:
        """What runs at most at once, at the present multipliers."""
        total = Load()
        for name, profile in self.profiles.items():
            if profile.running and name != without:
                total = total + profile.outline(self.speed_bps).peak.times(profile.factor)
        return total

    def attributes(self) -> dict[str, Any]:
        """The attributes of get_port_status and of the attribute event."""
        configured = self.destination_mac is not None
        ipv4: dict[str, Any] = {"state": "none"}
        if self.source_ip is not None:
            state = "resolved" if configured else "unresolved"
            ipv4 = {"state": state, "src": self.source_ip, "dst": self.destination_ip}
        ether = {
            "src": self.mac,
            "dst": self.destination_mac or "",
            "state": "configured" if configured else "unconfigured",
        }
        return {
            "speed": self.speed_gbps,
            "promiscuous": {"enabled": self.promiscuous},
            "multicast": {"enabled": self.multicast},
            "link": {"up": self.link_up},
            "fc": {"mode": 0},
            "layer_cfg": {"ether": ether, "ipv4": ipv4, "ipv6": self.ipv6},
            "vlan": {"tags": self.vlan},
            "rx_filter_mode": "hw",
        }


def _octets(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))
