"""Kinds of evidence as they lie in a history, and which of them each purpose cannot do without."""

from __future__ import annotations

from collections.abc import Callable

from nfvcert.history import Event, EventKind, History, marks


def _api(event: Event) -> bool:
    return event.kind is EventKind.API_CALL


def _notif(event: Event) -> bool:
    return event.kind is EventKind.API_NOTIFICATION


def _coord(event: Event) -> bool:
    return _api(event) and "/lcmcoord/" in str(event.data["path"])


def _grant(event: Event) -> bool:
    return _api(event) and "/grant/" in str(event.data["path"])


def _inv(event: Event) -> bool:
    return event.kind is EventKind.INVENTORY


def _pkt(event: Event) -> bool:
    traffic = event.kind in (EventKind.PACKET_INTERVAL, EventKind.FLOW_RECORD)
    return traffic or event.data.get("name") == marks.TRIAL


def _pkg(event: Event) -> bool:
    return event.data.get("name") == marks.PACKAGE


def _procedure(event: Event) -> bool:
    kept = (marks.BEGIN, marks.END)
    return event.kind is EventKind.MARK and event.data.get("name") not in kept


KINDS: dict[str, Callable[[Event], bool]] = {
    "api": _api,
    "notif": _notif,
    "coord": _coord,
    "grant": _grant,
    "inv": _inv,
    "pkt": _pkt,
    "pkg": _pkg,
    "procedure": _procedure,
}

NEEDED: dict[str, str] = {
    "TP.VNF.01.2": "api inv pkt",
    "TP.VNF.01.3": "inv notif pkt",
    "TP.VNF.01.4": "api grant inv",
    "TP.VNF.01.6": "api inv notif pkt",
    "TP.VNF.03.1": "api notif coord grant inv pkt",
    "TP.VNF.03.3": "api notif",
    "TP.VNF.03.4": "api coord pkt",
    "TP.VNF.05.1": "pkg",
    "TP.VNF.05.2": "pkg inv",
    "TP.VNF.05.3": "inv pkt coord grant",
    "TP.VNF.06.1": "pkg",
    "TP.VNF.06.2": "inv grant",
    "TP.VNF.06.3": "inv",
    "TP.VNF.06.4": "api coord pkt",
    "TP.VNF.08.1": "pkt coord inv",
    "TP.VNF.08.2": "pkt coord inv",
    "TP.VNF.08.3": "pkt coord inv notif",
    "TP.VNF.09.1": "inv notif pkt",
    "TP.VNF.09.2": "inv notif pkt coord api",
    "TP.VNF.12.1": "inv pkt",
    "TP.VNF.12.2": "api",
    "TP.VNF.12.3": "notif api",
    "TP.VNF.12.4": "api",
    "TP.VNF.13.1": "inv",
    "TP.VNF.13.2": "inv",
    "TP.VNF.13.3": "pkg",
    "TP.VNF.13.4": "notif inv",
    "TP.GEN.02.1": "coord inv pkt",
    "TP.GEN.02.3": "inv grant pkt api",
    "TP.GEN.02.4": "inv pkt",
}
"""What the interfaces answered to the procedure itself lies in its marks (``procedure``), which all purposes need."""


def needs(purpose: str) -> list[str]:
    """The kinds without which nothing can be said about a purpose."""
    return [*NEEDED[purpose].split(), "procedure"]


def dropped(histories: dict[str, History], kind: str) -> dict[str, History]:
    """The histories without all evidence of a kind."""
    return {
        name: History(name, [e for e in history if not KINDS[kind](e)], {} if kind == "pkt" else history.tables)
        for name, history in histories.items()
    }
