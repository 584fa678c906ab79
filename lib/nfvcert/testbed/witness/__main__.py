"""Start the witness: ``python -m nfvcert.testbed.witness --config FILE``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import uvicorn

from nfvcert.testbed.witness.models import WitnessConfig
from nfvcert.testbed.witness.proxy import Proxy
from nfvcert.testbed.witness.sinks import control_app, sink_app
from nfvcert.testbed.witness.state import WitnessState


class _Server(uvicorn.Server):
    """One of several servers in one loop; signals are left to the process."""

    def install_signal_handlers(self) -> None:
        """Do nothing."""


def _server(app: Any, port: int) -> _Server:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off", timeout_keep_alive=3600
    )
    return _Server(config)


async def serve(config: WitnessConfig) -> None:
    """Serve all reference points, the sinks and the control interface until ended."""
    state = WitnessState()
    servers = [_server(Proxy(listener, state, config.timeout_s), listener.port) for listener in config.listeners]
    servers += [_server(sink_app(state), config.sink_port), _server(control_app(state), config.control_port)]
    await asyncio.gather(*(server.serve() for server in servers))


def main() -> int:
    """Command-line entry point."""
    parser = argparse.ArgumentParser(description="recorder on the reference points of the stack under test")
    parser.add_argument("--config", required=True, type=Path)
    config = WitnessConfig.model_validate_json(parser.parse_args().config.read_text(encoding="utf-8"))
    logging.basicConfig(level=logging.WARNING, filename=config.log_file or None)
    asyncio.run(serve(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
