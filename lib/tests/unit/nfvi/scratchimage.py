"""A scratch image for the tests: one static C program in an OCI layout made by hand."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = r"""
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void quit(int number) { _exit(number == SIGTERM ? 7 : 1); }

/* echo: answer UDP on port 7. ping IP: say "reached" when the echo at IP answers. exit N: end. */
int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IONBF, 0);
    signal(SIGTERM, quit);
    if (argc > 2 && !strcmp(argv[1], "exit")) return atoi(argv[2]);
    if (argc > 2 && !strcmp(argv[1], "cat")) {
        FILE *file = fopen(argv[2], "r");
        int letter;
        while (file && (letter = fgetc(file)) != EOF) putchar(letter);
        for (;;) pause();
    }
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(7)};
    char data[2000];
    if (argc > 2 && !strcmp(argv[1], "ping")) {
        struct timeval wait = {.tv_usec = 100000};
        setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
        at.sin_addr.s_addr = inet_addr(argv[2]);
        memset(data, 0, 1400);
        for (int i = 0; i < 50; i++) {
            sendto(s, data, 1400, 0, (struct sockaddr *)&at, sizeof at);
            if (recv(s, data, sizeof data, 0) == 1400) { puts("reached"); for (;;) pause(); }
        }
        puts("not reached");
        return 1;
    }
    if (bind(s, (struct sockaddr *)&at, sizeof at)) return 2;
    for (;;) {
        socklen_t length = sizeof at;
        ssize_t got = recvfrom(s, data, sizeof data, 0, (struct sockaddr *)&at, &length);
        if (got >= 0) sendto(s, data, got, 0, (struct sockaddr *)&at, length);
    }
}
"""


@dataclass(frozen=True)
class ScratchImage:
    """The layout of the image, its manifest digest and the program in it."""

    layout: Path
    digest: str
    program: Path


def compile_program(directory: Path) -> Path:
    """The program, static; about 1 MB."""
    source, program = directory / "echo.c", directory / "echo"
    source.write_text(SOURCE)
    subprocess.run(["gcc", "-O1", "-static", "-o", program, source], check=True)
    return program


def make_layout(directory: Path, program: bytes, *, architecture: str = "amd64", tag: str = "scratch") -> str:
    """Write an OCI layout whose image holds the program as /bin/echo. Answers the manifest digest."""
    (directory / "blobs" / "sha256").mkdir(parents=True)
    tree = io.BytesIO()
    with tarfile.open(fileobj=tree, mode="w") as archive:
        for name in ("bin", "etc", "proc", "dev", "sys", "tmp", "run"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        link = tarfile.TarInfo("outside")
        link.type, link.linkname = tarfile.SYMTYPE, "/"
        archive.addfile(link)
        entry = tarfile.TarInfo("bin/echo")
        entry.size, entry.mode = len(program), 0o755
        archive.addfile(entry, io.BytesIO(program))
    plain = tree.getvalue()
    layer = _blob(directory, gzip.compress(plain, 1), "application/vnd.oci.image.layer.v1.tar+gzip")
    config = _blob(
        directory,
        json.dumps(
            {
                "architecture": architecture,
                "os": "linux",
                "config": {"Entrypoint": ["/bin/echo"], "Env": ["PATH=/bin"], "WorkingDir": "/"},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(plain).hexdigest()}"]},
            }
        ).encode(),
        "application/vnd.oci.image.config.v1+json",
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": [layer],
    }
    descriptor = _blob(directory, json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
    descriptor["annotations"] = {"org.opencontainers.image.ref.name": tag}
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [descriptor]}))
    return str(descriptor["digest"])


def _blob(directory: Path, data: bytes, media_type: str) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    (directory / "blobs" / "sha256" / digest).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}
