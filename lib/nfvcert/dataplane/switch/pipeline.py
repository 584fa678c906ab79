"""How rules lie in the tables of Open vSwitch: three tables, of which one is the limited table of the hardware switch.

Packets that the source sends pass :data:`CLASSIFY`, where their source port becomes the flow id in a register, and
:data:`RULES`, the only table that the controller changes. What servers send goes by its destination address
(:data:`DELIVER`). An OpenFlow match knows masks, not ranges, so that a range costs one entry for each of its prefixes.

A cookie tells whose an entry is (upper half: checksum of the owner's name) and of which range it is a prefix (lower
half: first and last id), so that a dump gives back the rules that made it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nfvcert.dataplane.identity import IDS, Flow, Identity, flow
from nfvcert.dataplane.openflow import Field, FlowEntry, FlowMod, Match
from nfvcert.dataplane.openflow.flows import Command
from nfvcert.dataplane.ranges import prefixes
from nfvcert.dataplane.rules import FlowRule, RangeRule, Rule
from nfvcert.errors import TestbedError

CLASSIFY, RULES, DELIVER = 0, 1, 2
RANGE_PRIORITY, EXCEPTION_PRIORITY = 100, 1000
"""Exceptions act whatever the ranges say; priorities of ranges are added to theirs."""

IPV4, TCP, UDP = 0x0800, 6, 17
_PORTS = {TCP: (Field.TCP_SRC, Field.TCP_DST), UDP: (Field.UDP_SRC, Field.UDP_DST)}
_ALL = IDS - 1


def static_flows(ports: Mapping[str, int], macs: Mapping[str, str]) -> list[str]:
    """The entries around the limited table, in the syntax of ovs-ofctl.

    All that tells a flow from others is read, so that the datapath caches a decision for each flow. Were it to cache
    wider ones, the first exception would make all of them void, and every flow would ask anew at that instant.

    Args:
        ports: numbers of the ports ``source``, ``sink`` and of each server.
        macs: address behind each port that packets are delivered to.
    """
    source = f"table={CLASSIFY},in_port={ports['source']}"
    addresses = "move:NXM_OF_IP_SRC[]->NXM_NX_REG1[],move:NXM_OF_IP_DST[]->NXM_NX_REG2[]"
    transport = ("move:NXM_OF_{0}_SRC[]->NXM_NX_REG0[0..15],move:NXM_OF_{0}_DST[]->NXM_NX_REG3[0..15]").format
    return [
        f"{source},priority=30,udp,actions={transport('UDP')},{addresses},goto_table:{RULES}",
        f"{source},priority=30,tcp,actions={transport('TCP')},{addresses},goto_table:{RULES}",
        f"{source},priority=20,ip,actions={addresses},goto_table:{RULES}",
        f"{source},priority=10,actions=drop",
        f"table={CLASSIFY},priority=0,actions=goto_table:{DELIVER}",
        *(f"table={DELIVER},priority=10,dl_dst={mac},actions=output:{ports[name]}" for name, mac in macs.items()),
    ]


def owner_tag(owner: str) -> int:
    """What cookies say of an owner: 32 bits."""
    return zlib.crc32(owner.encode())


def tag_of(entry: FlowEntry | FlowMod) -> int:
    """Owner's tag of an entry."""
    return entry.cookie >> 32


Place = tuple[int, frozenset[tuple[int, tuple[int, int | None]]]]
"""Priority and match: a table holds one entry in each."""


def place_of(entry: FlowEntry | FlowMod) -> Place:
    """The place of an entry in its table; one that is added to a place that is taken replaces what is there."""
    return entry.priority, frozenset((int(field), wanted) for field, wanted in entry.match.items())


def changes(rule: Rule, command: Command, owner: str, ports: Mapping[str, int]) -> Iterator[FlowMod]:
    """The changes that add or delete the entries of a rule."""
    tag = owner_tag(owner) << 32
    output = ports[rule.port] if command is Command.ADD else None
    if isinstance(rule, FlowRule):
        yield FlowMod(command, RULES, EXCEPTION_PRIORITY, tag, _exactly(rule.flow), output)
        return
    cookie = tag | rule.lo << 16 | rule.hi
    for value, mask in prefixes(rule.lo, rule.hi):
        match: Match = {Field.REGISTER_0: (value, mask)} if mask else {}
        yield FlowMod(command, RULES, RANGE_PRIORITY + rule.priority, cookie, match, output)


def rules_of(entries: Iterable[FlowEntry], owner: str, names: Mapping[int, str]) -> list[Rule]:
    """The rules of an owner that have made these entries.

    Args:
        names: of ports by their numbers.

    Raises:
        TestbedError: an entry of the owner is none that a rule makes.
    """
    found: dict[str, Rule] = {}
    for entry in entries:
        if tag_of(entry) != owner_tag(owner):
            continue
        if entry.output is None or entry.output not in names:
            raise TestbedError("an entry leads to no port of a rule", where=f"owner {owner}", found=str(entry))
        port = names[entry.output]
        rule: Rule
        if entry.priority >= EXCEPTION_PRIORITY:
            rule = FlowRule(_flow_of(entry.match), port)
        else:
            rule = RangeRule(entry.cookie >> 16 & _ALL, entry.cookie & _ALL, port, entry.priority - RANGE_PRIORITY)
        found[rule.name] = rule
    return list(found.values())


def document(entry: FlowEntry | FlowMod, owners: Mapping[int, str], names: Mapping[int, str]) -> dict[str, Any]:
    """An entry as the dumps of a hardware switch tell it: a prefix is a range, whatever the cookie says.

    Args:
        owners: names by their tags; others are told by their tag.
    """
    owner = owners.get(tag_of(entry), f"{tag_of(entry):08x}")
    port = "" if entry.output is None else names.get(entry.output, str(entry.output))
    if Field.IPV4_SRC in entry.match:
        key = _flow_of(entry.match).key
        return {"rule": "-".join(map(str, key)), "flow": key, "port": port, "owner": owner}
    value, mask = entry.match.get(Field.REGISTER_0, (0, 0))
    low = value & _ALL
    high = low | (_ALL & ~(_ALL if mask is None else mask))
    priority = entry.priority - RANGE_PRIORITY
    return {"rule": f"{low}-{high}", "range": [low, high], "priority": priority, "port": port, "owner": owner}


def _exactly(key: Flow) -> Match:
    match: Match = {
        Field.ETH_TYPE: (IPV4, None),
        Field.IP_PROTO: (key.proto, None),
        Field.IPV4_SRC: (key.src, None),
        Field.IPV4_DST: (key.dst, None),
    }
    if key.proto in _PORTS:
        source, destination = _PORTS[key.proto]
        match |= {source: (key.sport, None), destination: (key.dport, None)}
    return match


def _flow_of(match: Match) -> Flow:
    proto = match[Field.IP_PROTO][0]
    source, destination = _PORTS.get(proto, (Field.UDP_SRC, Field.UDP_DST))
    sport, dport = match.get(source, (0, None))[0], match.get(destination, (0, None))[0]
    return flow(match[Field.IPV4_SRC][0], match[Field.IPV4_DST][0], sport, dport, proto, Identity.SOURCE_PORT)
