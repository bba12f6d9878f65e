"""A file of speaker vectors, joined to a log by speaker or utterance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fairaudit.embeddings import by_speaker, digest, read_vectors
from fairaudit.exceptions import LogError
from fairaudit.log import UtteranceLog
from fairaudit.provenance import Source
from fairaudit.readers.joining import WAYS
from fairaudit.readers.workspace import Workspace

#: What NeMo calls a vector: the last three parts of the path of its audio file.
_NEMO = r"regexp_replace(regexp_replace({0}, '^.*/([^/]*/[^/]*/[^/]*)$', '\1'), '/', '@', 'g')"
#: How ids of vectors and of utterances are compared: only where no id matches exactly are they folded.
_WAYS = {**{way: (sql, sql) for way, sql in WAYS.items()}, "the names that NeMo makes": (_NEMO, "{0}")}


def with_vectors(
    log: UtteranceLog, path: Path, moved: Mapping[str, str], workspace: Workspace
) -> UtteranceLog:
    """Read a file of speaker vectors and sum them by the speakers of the log.

    Parameters
    ----------
    log : UtteranceLog
    path : Path
    moved : mapping of str to str
        Old to new beginning of the paths that the file names.
    workspace : Workspace

    Raises
    ------
    LogError
        If the file cannot be read, or belongs to another log.
    """
    if "embedding" in log.columns:
        raise LogError(
            "the log has a column embedding, and a file of embeddings was given too",
            where="--embeddings",
            allowed="one of both",
        )
    ids, vectors = read_vectors(path, moved)
    speakers = set(log.frame.select("speaker_id").unique().collect("pyarrow")["speaker_id"].to_list())
    owners, way = _owners(log, ids, workspace) if "utterance_id" in log.columns else ({}, "exact")
    sums = by_speaker(ids, vectors, speakers, owners, path.name)
    source = Source(role="embeddings", name=path.name, sha256=digest(path, moved), rows=len(ids))
    without = len(speakers) - len(sums)
    note = [] if way == "exact" else [f"ids of {path.name} were matched by {way}"]
    note += [f"{without:,} of {len(speakers):,} speakers have no embedding"] if without else []
    if (unused := len(ids) - sum(str(i) in owners or str(i) in speakers for i in ids)) > 0:
        note.append(f"{unused:,} of {len(ids):,} embeddings belong to nobody in the log")
    return replace(
        log,
        columns=log.columns | {"embedding"},
        inputs=(*log.inputs, source),
        vectors=sums,
        warnings=(*log.warnings, *note),
    )


def _owners(log: UtteranceLog, ids: Iterable[Any], workspace: Workspace) -> tuple[dict[str, str], str]:
    """Return the speaker of each vector whose id is that of an utterance, and how ids were compared."""
    vectors = workspace.frame_of({"id": [str(i) for i in ids]}).to_native().set_alias("v")
    utterances = log.frame.select("utterance_id", "speaker_id").to_native().set_alias("u")
    for way, (of_utterance, of_vector) in _WAYS.items():
        same = f"{of_vector.format('v.id')} = {of_utterance.format('u.utterance_id')}"
        pairs = utterances.join(vectors, same).project("v.id, u.speaker_id").distinct()
        found = pairs.fetchall()
        owners = dict(found)
        if len(owners) < len(found):
            twice = next(name for name, speaker in found if owners[name] != speaker)
            raise LogError(
                f"the vector '{twice}' would belong to several speakers when ids are matched by {way}",
                where="--embeddings",
                allowed="ids that belong to one speaker each",
                fix="name the vectors after the utterances, or after the speakers",
            )
        if owners:
            return owners, way
    return {}, "exact"
