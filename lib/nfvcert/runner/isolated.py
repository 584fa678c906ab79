"""A certification in a process of its own, so that several can run at the same time and none leaves a trace here."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

from nfvcert.errors import StackError
from nfvcert.runner.certify import Order

TIMEOUT_S = 400.0


def certify_isolated(order: Order, work: Path) -> Path:
    """Run the order; returns the run folder.

    Raises:
        StackError: the process ended without results; the last line of its log is quoted.
    """
    request, log = work / "order.pickle", work / "certify.log"
    request.write_bytes(pickle.dumps(order))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "nfvcert.runner.isolated", str(request)],
            stdout=subprocess.PIPE,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
        try:
            out, _ = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            process.terminate()
            process.communicate()
            raise StackError(f"the run did not end within {TIMEOUT_S:g} s", where=str(log)) from error
    lines = out.decode().strip().splitlines()
    folder = Path(lines[-1]) if lines else Path()
    if not lines or not (folder / "results.json").exists():
        said = log.read_text(errors="replace").strip().splitlines()
        raise StackError("the run ended without results", where=str(log), found=said[-1] if said else "an empty log")
    return folder


def main() -> int:
    """Run the order in the file named on the command line; prints the run folder."""
    from rich.console import Console

    from nfvcert.errors import NfvcertError
    from nfvcert.runner.certify import certify, prepare

    order: Order = pickle.loads(Path(sys.argv[1]).read_bytes())
    try:
        folder, _ = certify(prepare(order), Console(stderr=True))
    except NfvcertError as error:
        print(error.message, file=sys.stderr)
        run_folder = getattr(error, "run_folder", None)
        if run_folder is None:
            return error.exit_code
        print(run_folder)
        return error.exit_code
    print(folder.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
