"""One set of utterances through the formats of other programs and back: equal counts each time."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from logs import assert_same, counted

from fairaudit.conversion import convert
from fairaudit.readers import read_log

REAL = Path(os.environ.get("FAIRAUDIT_REAL_DATA", Path(__file__).parent.parent.parent / "shared/data"))
SETTINGS = ((), ("accent",))


def made_up():
    """Return utterances with empty texts, ids with dashes, and words that formats treat as marks."""
    rng = np.random.default_rng(5)
    words = ["zero", "one", "it's", "É", "日本", "a:b", "x;y", "twenty-one", "'quoted'"]
    rows = []
    for number in range(80):
        reference = list(rng.choice(words, rng.integers(0, 9)))
        heard = [w for w in reference if rng.random() > 0.15] + list(rng.choice(words, rng.integers(0, 2)))
        speaker = f"spk-{number % 11}"
        rows.append(
            {
                "utterance_id": f"{speaker}-utt-{number:03}",
                "speaker_id": speaker,
                "reference": " ".join(reference),
                "hypothesis": " ".join(heard),
                "accent": ["north", "south", "west"][number % 11 % 3],
            }
        )
    return pd.DataFrame(rows)


def artie():
    table = pd.read_csv(REAL / "artie/deepspeech-v0-7-3.tsv", sep="\t", dtype=str, keep_default_na=False)
    table["utterance_id"] = table.utterance_id.str.removesuffix(".mp3")
    return table[["utterance_id", "speaker_id", "reference", "hypothesis", "accent"]].replace(
        {"accent": {"": None}}
    )


SETS = {
    "made up": made_up,
    "Artie": pytest.param(
        artie,
        marks=pytest.mark.skipif(not REAL.is_dir(), reason="needs the real logs: set FAIRAUDIT_REAL_DATA"),
        id="Artie",
    ),
}


def labels(rows, folder):
    """Write what most formats do not carry: the accent of each speaker."""
    rows[["speaker_id", "accent"]].drop_duplicates().to_csv(folder / "speakers.csv", index=False)
    return folder / "speakers.csv"


def who(rows, folder):
    (folder / "who").mkdir(exist_ok=True)
    lines = (f"{r.utterance_id} {r.speaker_id}\n" for r in rows.itertuples())
    (folder / "who/utt2spk").write_text("".join(lines), "utf-8")
    return folder / "who/utt2spk"


def nemo(rows, folder):
    lines = (
        {
            "audio_filepath": f"/audio/{r.utterance_id}.wav",
            "duration": 1.5,
            "text": r.reference,
            "pred_text": r.hypothesis,
            "speaker": r.speaker_id,
            "accent": r.accent,
        }
        for r in rows.itertuples()
    )
    file = folder / "manifest.json"
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    return {"source": file}


def trn(rows, folder):
    for side, name in (("reference", "ref.trn"), ("hypothesis", "hyp.trn")):
        lines = (f"{text} ({i})\n".lstrip() for text, i in zip(rows[side], rows.utterance_id, strict=True))
        (folder / name).write_text("".join(lines), "utf-8")
    return {
        "source": folder / "hyp.trn",
        "references": folder / "ref.trn",
        "metadata": [who(rows, folder), labels(rows, folder)],
    }


def kaldi(rows, folder):
    for side in ("reference", "hypothesis"):
        (folder / side).mkdir()
        lines = (f"{i} {text}\n" for text, i in zip(rows[side], rows.utterance_id, strict=True))
        (folder / side / "text").write_text("".join(lines), "utf-8")
    who(rows, folder).rename(folder / "reference/utt2spk")
    return {
        "source": folder / "hypothesis/text",
        "references": folder / "reference",
        "metadata": labels(rows, folder),
    }


def icefall(rows, folder):
    file = folder / "recogs-test.txt"
    lines = (
        f"{r.utterance_id}:\tref={r.reference.split()}\n{r.utterance_id}:\thyp={r.hypothesis.split()}\n"
        for r in rows.itertuples()
    )
    file.write_text("".join(lines), "utf-8")
    return {"source": file, "metadata": [who(rows, folder), labels(rows, folder)]}


def whisper_and_common_voice(rows, folder):
    (folder / "out").mkdir()
    for r in rows.itertuples():
        plain = {"text": f" {r.hypothesis}", "segments": [], "language": "en"}
        (folder / "out" / f"{r.utterance_id}.json").write_text(json.dumps(plain), "utf-8")
    head = ["client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender", "accents", "locale"]
    lines = (
        "\t".join(
            [r.speaker_id, f"{r.utterance_id}.mp3", r.reference, "2", "0", "", "", r.accent or "", "en"]
        )
        for r in rows.itertuples()
    )
    (folder / "test.tsv").write_text("\n".join(["\t".join(head), *lines]) + "\n", "utf-8")
    return {"source": folder / "out", "references": folder / "test.tsv", "columns": {}}


def datasets(rows, folder):
    file = folder / "data-00000-of-00001.arrow"
    table = pa.Table.from_pandas(rows, preserve_index=False)
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return {"source": file}


def espnet(rows, folder):
    (folder / "score_wer").mkdir()
    for side, name in (("reference", "ref.trn"), ("hypothesis", "hyp.trn")):
        lines = (
            f"{getattr(r, side)}\t({r.speaker_id}-{r.speaker_id}_{r.utterance_id})\n"
            for r in rows.itertuples()
        )
        (folder / "score_wer" / name).write_text("".join(lines), "utf-8")
    return {"source": folder / "score_wer", "metadata": labels(rows, folder)}


FORMATS = (nemo, trn, kaldi, icefall, whisper_and_common_voice, datasets, espnet)


@pytest.mark.parametrize("rows", list(SETS.values()))
@pytest.mark.parametrize("form", FORMATS, ids=[form.__name__ for form in FORMATS])
def test_counts_are_the_same_through_every_format_and_back(rows, form, tmp_path):
    table = rows()
    expected = counted(read_log(table, normalizer="none"), SETTINGS)
    given = form(table, tmp_path)
    accents = {"accents": "accent"} if form is whisper_and_common_voice else {}
    settings = tuple(tuple({v: k for k, v in accents.items()}.get(c, c) for c in s) for s in SETTINGS)
    log = read_log(**given, normalizer="none")
    assert log.excluded == {}
    assert_same(renamed(counted(log, settings), accents), expected)
    # And once more through one canonical file.
    convert(**given, output=tmp_path / "log.parquet")
    again = read_log(tmp_path / "log.parquet", normalizer="none")
    assert_same(renamed(counted(again, settings), accents), expected)


def renamed(counts, names):
    """Give attributes the names that they have in the set."""
    from dataclasses import replace

    return [replace(c, attributes={names.get(n, n): v for n, v in c.attributes.items()}) for c in counts]
