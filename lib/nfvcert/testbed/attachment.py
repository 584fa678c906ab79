"""The attachment: what a test back-end needs to reach a testbed that somebody else brought up and holds.

The parent process writes it when the testbed is up; back-ends read it from the file named by NFVCERT_ATTACHMENT.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from nfvcert.errors import TestbedError, UsageError
from nfvcert.testbed.model import Dataplane

ENVIRONMENT = "NFVCERT_ATTACHMENT"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


Access = TypeVar("Access", bound=_Strict)


class Component(_Strict):
    """A component of the stack; how it can be restarted is known only where the testbed owns the process."""

    url: str
    token_reference: str = ""


class VimAccess(_Strict):
    """OpenStack credentials by reference."""

    auth_url: str
    username: str
    project_name: str
    password_reference: str


class HostAccess(_Strict):
    """A compute host whose agent can be asked."""

    name: str
    socket: str


class NetworkAccess(_Strict):
    """A virtual network as the VIM knows it."""

    id: str
    cidr: str


class TrafficAccess(_Strict):
    """Where the generator and the session endpoints live; namespaces of the embedded testbed."""

    driver: str
    profile: str
    generator_netns: str = ""
    client_netns: str = ""
    server_netns: str = ""
    client_ip: str = ""
    server_ip: str = ""
    sink_ips: list[str] = []
    server: str = ""


class WitnessAccess(_Strict):
    """Control interface and sinks of the witness."""

    control_url: str
    sink_url: str


class SignerAccess(_Strict):
    """Files of a key with which derived packages are signed."""

    key: str
    certificate: str


class DataplaneAccess(_Strict):
    """What a back-end needs to bring up the dataplane of the testbed, which each scenario does for itself.

    ``state_dir`` is for sockets and configurations and goes with the run; ``programs`` names native programs that are
    to run in the place of others, ``extensions`` files with another behaviour of a component (seeded defects).
    """

    run: str
    testbed: str
    state_dir: str
    log_dir: str
    features: list[str]
    settings: Dataplane
    extensions: dict[str, str] = {}
    programs: dict[str, str] = {}

    def write(self, path: Path) -> None:
        """Write it for back-ends; readable by the owner only."""
        _write(self, path)


class Attachment(_Strict):
    """Everything a back-end is told about the testbed."""

    run: str
    testbed: str
    state_dir: str
    features: list[str]
    nfvo: Component
    vnfm: Component
    em: Component | None
    vim: VimAccess
    witness: WitnessAccess
    hosts: list[HostAccess]
    networks: dict[str, NetworkAccess]
    traffic: TrafficAccess
    signers: dict[str, SignerAccess] = {}
    supervisor_socket: str = ""

    def write(self, path: Path) -> None:
        """Write it for back-ends; readable by the owner only."""
        _write(self, path)


def read_attachment(path: Path | None = None) -> Attachment:
    """Read the attachment from ``path`` or from the file that NFVCERT_ATTACHMENT names.

    Raises:
        UsageError: the variable is not set: the suite was started by hand.
        TestbedError: the testbed is gone, or the file is damaged.
    """
    return _read(Attachment, path)


def read_dataplane(path: Path | None = None) -> DataplaneAccess:
    """Read how the dataplane is reached, from the same place and with the same errors as :func:`read_attachment`."""
    return _read(DataplaneAccess, path)


def _write(access: _Strict, path: Path) -> None:
    path.write_text(access.model_dump_json(indent=1), encoding="utf-8")
    path.chmod(0o600)


def _read(model: type[Access], path: Path | None) -> Access:
    if path is None:
        name = os.environ.get(ENVIRONMENT)
        if not name:
            raise UsageError(
                "the suites need a testbed that is up",
                where=ENVIRONMENT,
                found="not set",
                hint="start them with 'nfvcert certify', or 'nfvcert testbed up' first",
            )
        path = Path(name)
    try:
        return model.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TestbedError("the testbed is gone", where=str(path), found=error.strerror or "") from error
    except ValueError as error:
        raise TestbedError("the attachment of the testbed is damaged", where=str(path), found=str(error)) from error
