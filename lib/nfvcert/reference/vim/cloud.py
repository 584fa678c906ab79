"""The parts of the VIM put together."""

from __future__ import annotations

from dataclasses import dataclass

from nfvcert.reference.common.store import Store
from nfvcert.reference.vim.agents import Hosts
from nfvcert.reference.vim.behaviour import VimBehaviour
from nfvcert.reference.vim.computing import Computing
from nfvcert.reference.vim.imaging import Imaging
from nfvcert.reference.vim.lifecycle import Lifecycle
from nfvcert.reference.vim.networking import Networking
from nfvcert.reference.vim.scheduler import HostState
from nfvcert.reference.vim.settings import VimConfig


@dataclass(frozen=True)
class Cloud:
    """Everything that the services of the VIM serve."""

    networking: Networking
    imaging: Imaging
    computing: Computing
    lifecycle: Lifecycle
    hosts: Hosts
    behaviour: VimBehaviour

    def host_states(self) -> list[HostState]:
        """Capacity and claims of all hosts."""
        return self.lifecycle.host_states()


def build_cloud(config: VimConfig, behaviour: VimBehaviour, store: Store, hosts: Hosts) -> Cloud:
    """A cloud with the records that the store has."""
    networking = Networking(store, hosts, behaviour, config.quota, mtu=config.mtu, vni_first=config.vni_first)
    imaging = Imaging(store, config.state_dir / "images")
    computing = Computing(store, networking, imaging, behaviour, config.quota)
    lifecycle = Lifecycle(computing, networking, imaging, hosts, behaviour)
    return Cloud(networking, imaging, computing, lifecycle, hosts, behaviour)
