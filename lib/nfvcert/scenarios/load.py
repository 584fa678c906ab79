"""The load of a scenario: generated flows and real TCP sessions, recorded with what the port taps saw."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from nfvcert.history import EventKind, marks
from nfvcert.history.marks import FLOWS_TABLE, OBSERVED_TABLE
from nfvcert.traffic.embedded import EmbeddedGenerator
from nfvcert.traffic.flows import join_csv, read_csv, write_parquet
from nfvcert.traffic.profiles import read_traffic_profile
from nfvcert.traffic.protocol import TrafficGenerator
from nfvcert.traffic.session_endpoints import SessionEndpoints

if TYPE_CHECKING:
    from nfvcert.scenarios.bench import Bench


class Load:
    """Starts, watches and ends the traffic of one scenario."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._generator: TrafficGenerator | None = None
        self._sessions: SessionEndpoints | None = None
        self.running = False

    def start(self, profile: str, sessions: int) -> None:
        """Offer the traffic profile and open TCP sessions; returns when it has warmed up."""
        bench = self._bench
        access = bench.attachment.traffic
        bench.recording.at_end(self.abandon)
        folder = bench.recording.folder
        log = bench.run_folder / "logs" / "traffic.log"
        if bench.hosts is not None:
            bench.hosts.dump(folder, clear=True)
        self._generator = EmbeddedGenerator(
            access.generator_netns, gateway_ip=bench.gateway_ip, server_ips=access.sink_ips, log=log
        )
        self._generator.prepare(read_traffic_profile(profile))
        self._generator.start()
        self.running = True
        bench.recording.every(0.2, "intervals", self._collect)
        if sessions:
            self._sessions = SessionEndpoints(
                access.client_netns,
                access.server_netns,
                server_ip=access.server_ip,
                count=sessions,
                interval_s=bench.profile.session_interval_s,
                log=log,
            )
        time.sleep(bench.profile.warm_up_s)
        bench.recording.recorder.mark("traffic.ready", profile=profile, sessions=sessions)

    def control_run(self, seconds: float) -> None:
        """Let the traffic run without any modification."""
        recorder = self._bench.recording.recorder
        recorder.mark(marks.CONTROL_BEGIN)
        time.sleep(seconds)
        recorder.mark(marks.CONTROL_END)

    def stop(self, label: str = "traffic") -> None:
        """Stop, settle, read, and write the tables of flows."""
        bench, generator = self._bench, self._generator
        if generator is None or not self.running:
            return
        recorder = bench.recording.recorder
        if self._sessions is not None:
            recorder.mark(marks.SESSIONS, label=label, sessions=self._sessions.stop())
            self._sessions = None
        scenario = bench.recording.scenario
        folder = bench.recording.folder
        flows_csv = folder / f"{scenario}.flows.csv"
        result = generator.stop(flows_csv)
        self.running = False
        self._collect()
        blind = self._write_tables(flows_csv)
        raw = asdict(result)
        raw.pop("flows_file")
        recorder.mark(marks.TRIAL, label=label, observer_blind=blind, **raw)
        generator.close()
        self._generator = None

    def abandon(self) -> None:
        """End the traffic at the end of a scenario, also of one that failed."""
        try:
            self.stop()
        finally:
            if self._sessions is not None:
                self._sessions.close()
                self._sessions = None
            if self._generator is not None:
                self._generator.close()
                self._generator = None
                self.running = False

    def _collect(self) -> None:
        if self._generator is None:
            return
        for interval in self._generator.intervals():
            data = {key: value for key, value in interval.items() if key != "event"}
            self._bench.recording.recorder.record(EventKind.PACKET_INTERVAL, "generator", data, t=int(data["t1"]))

    def _write_tables(self, flows_csv: Path) -> int:
        bench = self._bench
        folder, scenario, recorder = bench.recording.folder, bench.recording.scenario, bench.recording.recorder
        tables = {FLOWS_TABLE: read_csv(flows_csv)}
        flows_csv.unlink()
        blind = 0
        if bench.hosts is not None:
            files = bench.hosts.dump(folder)
            tables[OBSERVED_TABLE] = join_csv(files)
            blind = sum(
                int(port.get("ring_drops", 0))
                for host in bench.hosts.counters().values()
                for port in (host.get("ports") or {}).values()
            )
            for file in files:
                file.unlink(missing_ok=True)
        for name, table in tables.items():
            path = folder / f"{scenario}.{name}.parquet"
            digest = write_parquet(table, path)
            data = {"table": name, "file": path.name, "sha256": digest, "rows": table.num_rows}
            recorder.record(EventKind.FLOW_RECORD, "generator" if name == FLOWS_TABLE else "observers", data)
        return blind
