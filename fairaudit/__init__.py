"""Find the groups of speakers that a speech recogniser serves worst, and say by how much and how surely."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairaudit.assignment import assign
    from fairaudit.auditing import audit
    from fairaudit.changes import ComparisonResult
    from fairaudit.checking import check
    from fairaudit.comparison import compare
    from fairaudit.discover.geo_tree import GeoTree
    from fairaudit.discover.labels import LabelColumn, LabelIntersection
    from fairaudit.discover.slices import Slices
    from fairaudit.discover.speaker_clusters import SpeakerClusters
    from fairaudit.discover.zip_demographics import ZipDemographics
    from fairaudit.exceptions import FairauditError, GateError, InputError
    from fairaudit.gating import assert_gate, gate
    from fairaudit.gating.policy import Policy, read_policy
    from fairaudit.gating.rules import Rule, Waiver
    from fairaudit.log import UtteranceLog
    from fairaudit.outputs import read_audit, read_comparison, read_result, write_audit, write_comparison
    from fairaudit.readers import read_log
    from fairaudit.readiness import LogCheck
    from fairaudit.result import AuditResult
    from fairaudit.saved import read_partitions
    from fairaudit.simulation import simulate
    from fairaudit.verdict import Finding, Verdict
    from fairaudit.world import World

#: Where each public name lives. Looked up on first use, so that `fairaudit --help` loads none of them.
_HOMES = {
    "AuditResult": "result",
    "ComparisonResult": "changes",
    "FairauditError": "exceptions",
    "Finding": "verdict",
    "GateError": "exceptions",
    "GeoTree": "discover.geo_tree",
    "InputError": "exceptions",
    "LabelColumn": "discover.labels",
    "LabelIntersection": "discover.labels",
    "LogCheck": "readiness",
    "Policy": "gating.policy",
    "Rule": "gating.rules",
    "Slices": "discover.slices",
    "SpeakerClusters": "discover.speaker_clusters",
    "UtteranceLog": "log",
    "Verdict": "verdict",
    "Waiver": "gating.rules",
    "World": "world",
    "ZipDemographics": "discover.zip_demographics",
    "assert_gate": "gating",
    "assign": "assignment",
    "audit": "auditing",
    "check": "checking",
    "compare": "comparison",
    "gate": "gating",
    "read_audit": "outputs",
    "read_comparison": "outputs",
    "read_log": "readers",
    "read_partitions": "saved",
    "read_policy": "gating.policy",
    "read_result": "outputs",
    "simulate": "simulation",
    "write_audit": "outputs",
    "write_comparison": "outputs",
}

__all__ = [
    "AuditResult",
    "ComparisonResult",
    "FairauditError",
    "Finding",
    "GateError",
    "GeoTree",
    "InputError",
    "LabelColumn",
    "LabelIntersection",
    "LogCheck",
    "Policy",
    "Rule",
    "Slices",
    "SpeakerClusters",
    "UtteranceLog",
    "Verdict",
    "Waiver",
    "World",
    "ZipDemographics",
    "assert_gate",
    "assign",
    "audit",
    "check",
    "compare",
    "gate",
    "read_audit",
    "read_comparison",
    "read_log",
    "read_partitions",
    "read_policy",
    "read_result",
    "simulate",
    "write_audit",
    "write_comparison",
]


def __getattr__(name: str) -> Any:
    if name == "plot":
        return import_module("fairaudit.plot")
    if name not in _HOMES:
        raise AttributeError(f"module 'fairaudit' has no attribute '{name}'")
    return getattr(import_module(f"fairaudit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
