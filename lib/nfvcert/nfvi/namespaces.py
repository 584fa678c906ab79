"""Network namespaces by name: create, enter from a thread, remove.

Python 3.11 has no ``os.setns``; libc is called directly. A namespace belongs to a thread, so work inside one is done in
a thread that ends afterwards: it can never be left behind in the wrong namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from nfvcert.errors import TestbedError

NETNS_DIR = Path("/run/netns")
"""Where named namespaces are mounted, the same place as for ``ip netns``."""

CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SHARED = 0x100000
MNT_DETACH = 2

QUIET_SYSCTLS = {
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv6/conf/default/disable_ipv6": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/conf/all/arp_ignore": "1",
    "ipv4/conf/all/arp_announce": "2",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/conf/default/send_redirects": "0",
    "bridge/bridge-nf-call-iptables": "0",
    "bridge/bridge-nf-call-arptables": "0",
}
"""Set in every namespace at its creation (those the kernel has): nothing speaks unless a program does."""

_libc = ctypes.CDLL(None, use_errno=True)
T = TypeVar("T")


def libc_call(name: str, *arguments: object) -> None:
    """Call a libc function that answers non-zero on failure; raises OSError then."""
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def path_of(name: str) -> Path:
    """File by which the namespace is reached."""
    return NETNS_DIR / name


def exists(name: str) -> bool:
    """Whether there is a mounted namespace of this name (a bare file left by a crash does not count)."""
    try:
        return path_of(name).stat().st_dev != NETNS_DIR.stat().st_dev
    except FileNotFoundError:
        return False


def names() -> list[str]:
    """All names under the namespace directory, also those of files left by a crash."""
    try:
        return sorted(entry.name for entry in NETNS_DIR.iterdir())
    except FileNotFoundError:
        return []


def identity(name: str) -> tuple[int, int] | None:
    """Device and inode of the namespace, as :func:`nfvcert.nfvi.procfs.network_namespace` gives for processes."""
    try:
        found = path_of(name).stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread of its own and give back what it returns or raises."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def enter(name: str) -> None:
    """Move the calling thread into the namespace; for threads that end afterwards, or a whole process at its start."""
    try:
        descriptor = os.open(path_of(name), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise TestbedError("there is no such network namespace", where=str(path_of(name))) from None
    try:
        libc_call("setns", descriptor, CLONE_NEWNET)
    finally:
        os.close(descriptor)


def run_in(name: str, work: Callable[[], T]) -> T:
    """Run `work` in a thread inside the namespace."""

    def run() -> T:
        enter(name)
        return work()

    return in_thread(run)


def create(name: str) -> None:
    """Create a namespace with IPv6 off, loopback left down and the :data:`QUIET_SYSCTLS`.

    Raises:
        TestbedError: the name is taken or the privilege is missing.
    """
    _prepare_directory()
    path = path_of(name)
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444))
    except FileExistsError:
        raise TestbedError("a network namespace of this name exists", where=str(path)) from None

    def make() -> None:
        libc_call("unshare", CLONE_NEWNET)
        for key, value in QUIET_SYSCTLS.items():
            with contextlib.suppress(FileNotFoundError, PermissionError):
                Path("/proc/sys/net", key).write_text(value)
        source = f"/proc/self/task/{threading.get_native_id()}/ns/net"
        libc_call("mount", source.encode(), str(path).encode(), b"none", MS_BIND, None)

    try:
        in_thread(make)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise TestbedError(
            "cannot create a network namespace", where=name, found=str(error), hint="this needs CAP_SYS_ADMIN"
        ) from error


def remove(name: str) -> bool:
    """Remove the name; the namespace goes when its last process does. Answers whether there was one."""
    path = path_of(name)
    while True:
        try:
            libc_call("umount2", str(path).encode(), MNT_DETACH)
        except OSError:
            break
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _prepare_directory() -> None:
    """Make the namespace directory a shared mount as ``ip netns add`` does: removals reach every mount namespace."""
    NETNS_DIR.mkdir(mode=0o755, parents=True, exist_ok=True)
    directory = os.open(NETNS_DIR, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    target = str(NETNS_DIR).encode()
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        try:
            libc_call("mount", b"", target, b"none", MS_SHARED | MS_REC, None)
        except OSError:
            with contextlib.suppress(OSError):  # without the privilege the creation itself says so
                libc_call("mount", target, target, b"none", MS_BIND | MS_REC, None)
                libc_call("mount", b"", target, b"none", MS_SHARED | MS_REC, None)
    finally:
        os.close(directory)
