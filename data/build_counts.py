"""Make the text-free count logs of this folder from the sets that they are computed from.

    python data/build_counts.py FOLDER

FOLDER holds `edacc/*.jsonl.gz` (utt_id, speaker, accent, ref_raw, hyp_raw) and `artie/*.tsv`
(utterance_id, speaker_id, reference, age, gender, accent, hypothesis). Only counts are written: no
word of a reference or hypothesis leaves that folder.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

import pandas as pd

from fairaudit.scoring import score

HERE = Path(__file__).parent
COUNTS = ["ref_words", "substitutions", "deletions", "insertions"]


def edacc(folder: Path) -> None:
    """Score EdAcc after Whisper's English normaliser, with tags in angle brackets taken out."""
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            frame = pd.DataFrame(json.loads(line) for line in lines)
        left_out = frame["ref_raw"].str.contains("IGNORE_TIME_SEGMENT_IN_SCORING|<FOREIGN>", regex=True)
        frame = frame[~left_out]
        references = [re.sub(r"<[^>]*>", " ", text) for text in frame["ref_raw"]]
        counts = score(references, frame["hyp_raw"].tolist(), "whisper-en")
        labels = {"utterance_id": frame["utt_id"], "speaker_id": frame["speaker"], "accent": frame["accent"]}
        table = pd.DataFrame({**labels, **counts})
        table.to_csv(HERE / f"edacc_{file.name.removesuffix('.jsonl.gz')}.csv", index=False)


def artie(folder: Path) -> None:
    """Score the Artie Bias Corpus after Whisper's English normaliser; NA and empty become empty."""
    labels = ["utterance_id", "speaker_id", "age", "gender", "accent"]
    for file in sorted(folder.glob("*.tsv")):
        frame = pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False, quoting=3)
        counts = score(frame["reference"].tolist(), frame["hypothesis"].tolist(), "whisper-en")
        known = frame[labels].where(frame[labels] != "NA", "")
        pd.DataFrame({**known, **counts}).to_csv(HERE / f"artie_{file.stem}.csv", index=False)


if __name__ == "__main__":
    source = Path(sys.argv[1])
    edacc(source / "edacc")
    artie(source / "artie")
