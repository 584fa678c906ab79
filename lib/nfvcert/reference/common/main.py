"""Start of a reference component: ``python -m nfvcert.reference.<component> --config FILE [--extension FILE]``."""

from __future__ import annotations

import argparse
import ctypes
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from nfvcert.errors import ExitCode, NfvcertError
from nfvcert.extension import load_behaviour
from nfvcert.reference.common.config import ComponentConfig, load_config

C = TypeVar("C", bound=ComponentConfig)
B = TypeVar("B")
_PR_SET_PDEATHSIG = 1
KEEP_ALIVE_S = 3600
"""Idle connections are closed by the clients: where both do, a request may meet one that is ending."""


def run(
    config_model: type[C],
    behaviour: type[B],
    build: Callable[[C, B], FastAPI],
    argv: Sequence[str] | None = None,
) -> int:
    """Serve a component until it is told to stop; returns the exit status.

    Args:
        config_model: model of its configuration file.
        behaviour: default behaviour class; ``--extension`` may replace it. Created without arguments.
        build: makes the application from configuration and behaviour.
    """
    parser = argparse.ArgumentParser(description=f"nfvcert reference component ({behaviour.__name__})")
    parser.add_argument("--config", required=True, metavar="FILE.json", help="configuration")
    parser.add_argument("--extension", metavar="FILE.py", help="file with a class Behaviour that replaces decisions")
    arguments = parser.parse_args(argv)
    try:
        config = load_config(arguments.config, config_model)
        if config.die_with_parent:
            die_with_parent()
        set_up_logging(config)
        app = build(config, load_behaviour(arguments.extension, behaviour)())
    except NfvcertError as error:
        print(error.message, file=sys.stderr)
        return error.exit_code
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=config.host,
            port=config.port,
            log_config=None,
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
    )
    server.run()
    return ExitCode.PASS if server.started else ExitCode.TESTBED


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent's thread that started this process ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def set_up_logging(config: ComponentConfig) -> None:
    """Log to `config.log_file`, or standard error."""
    logging.basicConfig(
        level=config.log_level,
        filename=config.log_file or None,
        format=f"%(asctime)s {config.name} %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    for chatty in ("httpx", "httpcore", "uvicorn.error", "keystoneauth", "openstack", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
