"""``python -m nfvcert.dataplane.controller --config FILE``: run the controller until it is told to end."""

from __future__ import annotations

import argparse
import gc
import json
import os
import socket
import sys
from pathlib import Path

import uvicorn

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.controller.app import make_app
from nfvcert.dataplane.controller.config import ControllerConfig, read_config
from nfvcert.dataplane.controller.engine import Engine
from nfvcert.dataplane.controller.journal import Journal
from nfvcert.dataplane.controller.parties import Parties
from nfvcert.dataplane.controller.watching import Watcher
from nfvcert.errors import ExitCode, NfvcertError, UsageError
from nfvcert.extension import load_behaviour
from nfvcert.promptness import answer_promptly


def main() -> int:
    """Run; the exit status says why it ended."""
    parser = argparse.ArgumentParser(prog="nfvcert.dataplane.controller")
    parser.add_argument("--config", type=Path, required=True, help="JSON file")
    try:
        _serve(read_config(parser.parse_args().config))
    except NfvcertError as error:
        print(f"controller: {error.message}", file=sys.stderr)
        return int(error.exit_code)
    return ExitCode.PASS


def _serve(config: ControllerConfig) -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", config.listen))
    except OSError as error:
        raise UsageError("the port cannot be listened on", where=str(config.listen), found=str(error)) from error
    listener.listen()
    parties = Parties(config)
    names = [place.name for place in parties.places]
    if config.initial and config.initial not in names:
        raise UsageError("the initial instance is unknown", found=config.initial, hint=f"known are {', '.join(names)}")
    engine = Engine(
        switch=config.switch.drive(config.owner, config.identity),
        parties=parties,
        behaviour=load_behaviour(config.extension, ControllerBehaviour)(),
        journal=Journal(config.journal),
        initial=names.index(config.initial) if config.initial else 0,
        quota=config.quota,
    )
    answer_promptly()
    gc.freeze()  # what was loaded stays; looking through it takes a tenth of a second beside processes that poll
    engine.start()
    watcher = Watcher(
        {
            f"{server}/{local}": instance.control
            for server, found in config.servers.items()
            for local, instance in found.instances.items()
        },
        engine.instance_lost,
    )
    print(json.dumps({"event": "ready", "pid": os.getpid(), "port": listener.getsockname()[1]}), flush=True)
    try:
        uvicorn.Server(uvicorn.Config(make_app(engine), log_level="warning", access_log=False)).run([listener])
    finally:
        watcher.close()
        engine.close()
        parties.close()


if __name__ == "__main__":
    sys.exit(main())
