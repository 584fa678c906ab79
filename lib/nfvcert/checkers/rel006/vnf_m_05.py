"""REQ.VNF.M.05: the package of a VNF carries the data that describe how its software is to be modified."""

from __future__ import annotations

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel006.common import (
    changed,
    changes_between,
    expect_stopped,
    granted,
    granted_addition,
    grants,
    labelled,
    shares_follow,
    the_request,
)
from nfvcert.checkers.views.coordination import coordinations
from nfvcert.checkers.views.inventory import samples
from nfvcert.checkers.views.operations import operation_id
from nfvcert.history import History, marks
from nfvcert.measure import Measure


@checker("TP.VNF.05.1")
def metadata_inside_package(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The metadata lie in the signed package and survive onboarding byte by byte."""
    history = history_of(histories, "packages")
    case = Case(purpose)
    delivered = labelled(history, marks.PACKAGE, "delivered")
    fetched = labelled(history, marks.PACKAGE, "fetched")
    case.rests_on(history, [*delivered, *fetched])
    if not case.guard(bool(delivered), "the delivered package was not read"):
        return case.judge("")
    data = delivered[0].data
    case.expect(bool(data.get("metadata_forms")), "no modification metadata were found in the package")
    outside = data.get("outside_manifest") or []
    case.measure(
        Measure("files_outside_manifest", len(outside), "files", "=", 0, "SOL004 manifest rules"),
        f"metadata not covered by manifest ({', '.join(outside)})",
    )
    if "signed_packages" in declared.features:
        case.expect(bool(data.get("signature_valid")), "the manifest is not covered by a valid signature")
    case.guard(
        {event.data.get("reader") for event in fetched} >= {"oss", "vnfm"},
        "the package was not fetched as OSS and as VNFM",
    )
    wanted = data.get("digests") or {}
    case.guard(bool(wanted), "there are no delivered digests to compare with")
    for event in fetched:
        got = event.data.get("digests") or {}
        for path, digest in wanted.items():
            reader = event.data.get("reader")
            case.expect(
                got.get(path) == digest,
                f"fetched digest differs from delivered digest: {path} as {reader}, got {got.get(path)}",
            )
    return case.judge("all metadata are covered by the manifest and came back byte for byte")


@checker("TP.VNF.05.2")
def altered_package_unused(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Packages with missing or altered metadata are not used; the delivered one is."""
    history = history_of(histories, "refusals")
    case = Case(purpose)
    labels = ["flipped_byte"] + (["unknown_key"] if "signed_packages" in declared.features else [])
    used = 0
    for label in labels:
        events = [e for e in labelled(history, marks.PACKAGE, label) if e.data.get("action") == "onboard"]
        case.rests_on(history, events)
        if not case.guard(bool(events), f"the package '{label}' was not offered"):
            continue
        event = events[0]
        onboarded = event.data.get("state") == "ONBOARDED"
        used += onboarded
        case.expect(not onboarded, f"altered package became usable: '{label}'")
        if not onboarded:
            case.expect(bool(event.data.get("problem")), f"the package resource of '{label}' does not show the failure")
    bare = the_request(history, "no_metadata")
    if bare.data.get("vnfd_id"):
        expect_stopped(
            case, history, bare, "the request for a package without metadata", "altered package became usable"
        )
        operation = bare.data.get("operation")
        if operation:
            case.expect(not grants(history, str(operation)), "a grant was asked for a package without metadata")
    ended = labelled(history, marks.REACHED, "no_metadata")
    until = (ended[0].t if ended else bare.t + 1_000_000_000) + 500_000_000
    following = [event.t for event in history.marks(marks.REQUEST) if event.t > bare.t]
    for change in changes_between(history, declared, bare.t - 500_000_000, min([until, *following])):
        used += 1
        case.expect(False, f"altered package became usable: {change}")
    case.measure(
        Measure("unusable_packages_used", used, "packages", "=", 0, "REL 006 6.2 2b, B.3.2 step 5"), "packages used"
    )
    twin = the_request(history, "twin")
    case.rests_on(history, [bare, twin])
    case.expect(twin.data.get("status") == 202, "the modification with a proper package did not start")
    return case.judge("altered packages were not usable, the proper one was")


@checker("TP.VNF.05.3")
def metadata_effective(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Two packages that differ in their metadata alone behave differently, each as its metadata say."""
    case = Case(purpose)
    following = 0
    runs = (("upgrade", "upgrade"), ("refusals", "twin"))
    for scenario, label in runs:
        history = history_of(histories, scenario)
        asked = the_request(history, label)
        policy = asked.data.get("expected_policy") or declared.policy(str(asked.data.get("policy")))
        case.rests_on(history, [asked])
        if not case.guard(bool(policy), f"the metadata of '{label}' are not known"):
            continue
        steps = [float(step) for step in policy.get("steps", [])]
        found = coordinations(history, operation_id(history, label, "vnf"))
        migrated = [c.share for c in found if c.stage == "migrate"]
        case.rests_on(history, [c.event for c in found if c.stage == "migrate"])
        right = case.expect(
            migrated == steps, f"metadata not followed in '{label}': steps {migrated} instead of {steps}"
        )
        extra = _peak_addition(history, declared, label)
        allowed = int(policy["additional_resources"]["vnfcs"])
        right &= case.expect(
            extra <= allowed, f"metadata not followed in '{label}': {extra} VNFCs more at once, {allowed} declared"
        )
        more = granted_addition(granted(case, history, declared, label), "COMPUTE")
        right &= case.expect(
            more <= allowed, f"metadata not followed in '{label}': {more} VNFCs more were granted, {allowed} declared"
        )
        right &= shares_follow(case, history, declared, label, steps)
        following += right
    case.measure(
        Measure("runs_following_metadata", following, "runs", "=", len(runs), "REL 006 6.3.1.2 REQ.VNF.M.05 and 06"),
        "both packages behave alike or otherwise than declared",
    )
    return case.judge("each run followed the metadata of its own package")


def _peak_addition(history: History, declared: Declared, label: str) -> int:
    asked = the_request(history, label)
    reached = labelled(history, marks.REACHED, label)
    until = reached[-1].t if reached else history.events[-1].t
    within = [s for s in samples(history, declared) if asked.t <= s.t <= until]
    counts = [len(changed(sample.vnfcs, declared)) for sample in within]
    return max(counts) - counts[0] if counts else 0
