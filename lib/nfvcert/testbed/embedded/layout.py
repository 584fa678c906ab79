"""Who listens where in the embedded stack, and what each process is told: a pure function of ports and paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nfvcert.testbed.embedded.addresses import free_ports
from nfvcert.testbed.embedded.processes import ComponentSpec
from nfvcert.testbed.model import EmbeddedStack, Host
from nfvcert.testbed.witness.models import Listener, WitnessConfig

COMPONENTS = ("vim", "nfvo", "vnfm", "em")
REFERENCE_POINTS = {
    "or-vnfm": "vnfm",
    "or-vnfm-nfvo": "nfvo",
    "ve-vnfm-em": "em",
    "ve-vnfm-vnfm": "vnfm",
}
"""Recorded reference points: name -> the component that serves the requests there."""

PASSWORD_FILE = "vim-password"


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports on loopback."""

    component: Mapping[str, int]
    reference_point: Mapping[str, int]
    control: int
    sink: int

    def url(self, component: str) -> str:
        """Where a component itself listens."""
        return f"http://127.0.0.1:{self.component[component]}"

    def recorded(self, reference_point: str) -> str:
        """Where the witness listens for a component's peers."""
        return f"http://127.0.0.1:{self.reference_point[reference_point]}"

    @property
    def control_url(self) -> str:
        """Control interface of the witness."""
        return f"http://127.0.0.1:{self.control}"

    @property
    def sink_url(self) -> str:
        """Sinks of the witness."""
        return f"http://127.0.0.1:{self.sink}"


def choose_ports() -> Ports:
    """Ports that are free now."""
    found = free_ports(len(COMPONENTS) + len(REFERENCE_POINTS) + 2)
    own, points = found[: len(COMPONENTS)], found[len(COMPONENTS) : -2]
    return Ports(
        dict(zip(COMPONENTS, own, strict=True)), dict(zip(REFERENCE_POINTS, points, strict=True)), found[-2], found[-1]
    )


def witness_spec(ports: Ports, state_dir: Path) -> ComponentSpec:
    """The witness on all reference points."""
    listeners = [
        Listener(name=name, port=ports.reference_point[name], upstream=ports.url(component))
        for name, component in REFERENCE_POINTS.items()
    ]
    config = WitnessConfig(listeners=listeners, control_port=ports.control, sink_port=ports.sink)
    return ComponentSpec("witness", "nfvcert.testbed.witness", config.model_dump(), f"{ports.control_url}/health")


def component_specs(
    ports: Ports,
    *,
    state_dir: Path,
    settings: EmbeddedStack,
    hosts: list[tuple[Host, Path, str]],
    password: str,
    southbound_netns: str,
    trusted_certificates: list[Path],
    extensions: Mapping[str, Path],
) -> list[ComponentSpec]:
    """NFVO, VNFM, EM and VIM with their configurations.

    Args:
        hosts: each with the socket of its agent and its address on the underlay.
        extensions: component -> file with a behaviour to use instead of the component's own.
    """
    public = {
        "nfvo": ports.recorded("or-vnfm-nfvo"),
        "vnfm": ports.recorded("or-vnfm"),
        "em": ports.recorded("ve-vnfm-em"),
        "vim": ports.url("vim"),
    }
    vim_user = {"username": "nfvcert", "password": password, "project_name": "nfvcert"}
    own: dict[str, dict[str, Any]] = {
        "vim": {
            "hosts": [
                {
                    "name": host.name,
                    "agent_socket": str(socket),
                    "vcpus": host.vcpus,
                    "ram_mb": host.ram_mb,
                    "underlay_ip": underlay,
                }
                for host, socket, underlay in hosts
            ],
            "user": vim_user,
        },
        "nfvo": {
            "peers": {"vnfm": ports.recorded("or-vnfm")},
            "require_signature": settings.require_signature,
            "trusted_certificates": [str(path) for path in trusted_certificates],
        },
        "vnfm": {
            "peers": {
                "nfvo": ports.recorded("or-vnfm-nfvo"),
                "em": ports.recorded("ve-vnfm-em"),
                "vim": {"auth_url": f"{ports.url('vim')}/identity/v3", **vim_user},
            }
        },
        "em": {"peers": {"vnfm": ports.recorded("ve-vnfm-vnfm")}, "southbound_netns": southbound_netns},
    }
    specs = []
    for name in COMPONENTS:
        config = {
            "name": name,
            "host": "127.0.0.1",
            "port": ports.component[name],
            "public_url": public[name],
            "state_dir": str(state_dir),
            **own[name],
        }
        if settings.database_url:
            config["database_url"] = settings.database_url.replace("{component}", name)
        health = f"{ports.url(name)}/health"
        specs.append(ComponentSpec(name, f"nfvcert.reference.{name}", config, health, extensions.get(name)))
    return specs
