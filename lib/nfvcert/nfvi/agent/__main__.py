"""``python -m nfvcert.nfvi.agent --config FILE``: serve one host until told to end."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

import uvicorn
from pydantic import ValidationError

from nfvcert.errors import ExitCode, NfvcertError, UsageError
from nfvcert.nfvi import namespaces, procfs
from nfvcert.nfvi.agent.app import create_app
from nfvcert.nfvi.agent.host import Host
from nfvcert.nfvi.agent.models import AgentConfig
from nfvcert.nfvi.process import become_subreaper

KEEP_ALIVE_S = 3600
"""Idle connections are closed by the clients: where both do, a request may meet one that is ending."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m nfvcert.nfvi.agent", description="Agent of one compute host.")
    parser.add_argument("--config", type=Path, required=True, help="configuration file (JSON)")
    path: Path = parser.parse_args().config
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        config = _read(path)
        _enter(config.netns)
        become_subreaper()
        host = Host(config)
    except NfvcertError as error:
        print(error.message, file=sys.stderr)
        return error.exit_code
    config.socket.unlink(missing_ok=True)
    server = uvicorn.Config(
        create_app(host),
        uds=str(config.socket),
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    try:
        uvicorn.Server(server).run()
    finally:
        host.close()
    return ExitCode.PASS


def _read(path: Path) -> AgentConfig:
    try:
        return AgentConfig.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError("this is not an agent's configuration", where=str(path), found=str(error)) from error


def _enter(netns: str) -> None:
    """Be in the host's namespace, also when started by hand from somewhere else; no other thread runs yet."""
    if procfs.network_namespace(os.getpid()) != namespaces.identity(netns):
        namespaces.enter(netns)


if __name__ == "__main__":
    sys.exit(main())
