"""Find the groups of speakers that a speech recogniser serves worst, and say by how much and how surely."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairaudit.assignment import assign
    from fairaudit.auditing import audit
    from fairaudit.checking import check
    from fairaudit.discover.geo_tree import GeoTree
    from fairaudit.discover.labels import LabelColumn, LabelIntersection
    from fairaudit.discover.slices import Slices
    from fairaudit.discover.speaker_clusters import SpeakerClusters
    from fairaudit.discover.zip_demographics import ZipDemographics
    from fairaudit.exceptions import FairauditError, InputError
    from fairaudit.log import UtteranceLog
    from fairaudit.outputs import read_audit, write_audit
    from fairaudit.readers import read_log
    from fairaudit.readiness import LogCheck
    from fairaudit.result import AuditResult
    from fairaudit.saved import read_partitions
    from fairaudit.simulation import simulate
    from fairaudit.world import World

#: Where each public name lives. Looked up on first use, so that `fairaudit --help` loads none of them.
_HOMES = {
    "AuditResult": "result",
    "FairauditError": "exceptions",
    "GeoTree": "discover.geo_tree",
    "InputError": "exceptions",
    "LabelColumn": "discover.labels",
    "LabelIntersection": "discover.labels",
    "LogCheck": "readiness",
    "Slices": "discover.slices",
    "SpeakerClusters": "discover.speaker_clusters",
    "UtteranceLog": "log",
    "World": "world",
    "ZipDemographics": "discover.zip_demographics",
    "assign": "assignment",
    "audit": "auditing",
    "check": "checking",
    "read_audit": "outputs",
    "read_log": "readers",
    "read_partitions": "saved",
    "simulate": "simulation",
    "write_audit": "outputs",
}

__all__ = [
    "AuditResult",
    "FairauditError",
    "GeoTree",
    "InputError",
    "LabelColumn",
    "LabelIntersection",
    "LogCheck",
    "Slices",
    "SpeakerClusters",
    "UtteranceLog",
    "World",
    "ZipDemographics",
    "assign",
    "audit",
    "check",
    "read_audit",
    "read_log",
    "read_partitions",
    "simulate",
    "write_audit",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fairaudit' has no attribute '{name}'")
    return getattr(import_module(f"fairaudit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
