"""What the audit says of real logs. The counts of EdAcc and Artie ship; the others need their folder."""

import os
from pathlib import Path

import pandas as pd
import pytest

from fairaudit.auditing import audit
from fairaudit.readers import read_log

ROOT = Path(__file__).parent.parent
DATA = ROOT / "data"
REAL = Path(os.environ.get("FAIRAUDIT_REAL_DATA", ROOT.parent / "shared/data"))
needs_real = pytest.mark.skipif(
    not REAL.is_dir(), reason="needs the real logs: set FAIRAUDIT_REAL_DATA to the folder that holds them"
)

#: Pooled WER in percent as it was published, for accents with at least 20 minutes and three speakers.
PUBLISHED = {
    "whisper-large-v3-turbo": [10.51, 11.50, 22.73, 17.33, 22.53, 25.68, 28.43, 19.92],
    "parakeet-tdt-0.6b-v3": [8.54, 10.40, 18.83, 12.91, 17.28, 16.56, 22.17, 15.17],
}
ACCENTS = [
    "Indian English",
    "Irish English",
    "Jamaican English",
    "Mainstream US English",
    "Nigerian English",
    "Spanish",
    "Vietnamese",
]


@pytest.mark.parametrize("model", PUBLISHED)
def test_edacc_by_accent_is_the_published_table(model):
    file = DATA / f"edacc_{model}.csv"
    log = read_log(file, where={"accent": ACCENTS})
    result = audit(log, by=["accent"], permutations=199, min_speakers_shown=1)
    accent = result.partition("accent")
    measured = {c.cohort: 100 * c.wer for c in accent.cohorts}
    *wers, overall = PUBLISHED[model]
    for name, wer in zip(ACCENTS, wers, strict=True):
        assert measured[name] == pytest.approx(wer, abs=0.3)
    assert 100 * result.overall.wer == pytest.approx(overall, abs=0.3)
    assert (result.log.speakers, result.log.utterances) == (35, 5087)
    # Exactly, where only counts matter.
    rows = pd.read_csv(file)
    rows = rows[rows["accent"].isin(ACCENTS)]
    errors = rows[["substitutions", "deletions", "insertions"]].sum(axis=1).groupby(rows["accent"]).sum()
    assert {c.cohort: c.errors for c in accent.cohorts} == errors.to_dict()


def test_edacc_has_too_few_speakers_for_a_gap_and_says_so():
    result = audit(read_log(DATA / "edacc_whisper-large-v3-turbo.csv"), by=["accent"])
    accent = result.partition("accent")
    assert accent.gap.relative is None
    assert "too few speakers" in accent.gap.reason
    # The largest difference in sight is no more than chance gives: 24 labels on 60 speakers.
    assert accent.chance.p_value is None
    assert accent.chance.in_sample_p_value > 0.2


#: Partition of the Artie log to whether its gap is told from chance, over three releases.
ARTIE = {
    "v0-5-1": {"age": False, "gender": False, "accent": True},
    "v0-6-0": {"age": True, "gender": True, "accent": True},
    "v0-7-3": {"age": True, "gender": False, "accent": True},
}


@pytest.mark.parametrize("release", ARTIE)
def test_artie_serves_accents_unequally_in_every_release(release):
    result = audit(read_log(DATA / f"artie_deepspeech-{release}.csv"))
    assert [p.name for p in result.partitions] == ["age", "gender", "accent"]
    told = {p.name: p.chance.p_value_holm <= 0.05 for p in result.partitions}
    assert told == ARTIE[release]
    accent = result.partition("accent")
    assert accent.gap.relative_low > 0
    assert accent.in_sample_gap.relative > accent.gap.relative
    assert accent.unassigned.reasons.keys() == {"no accent"}
    assert accent.overall.speakers + accent.unassigned.speakers == result.log.speakers == 969


@needs_real
@pytest.mark.parametrize("recogniser", ["deepspeech", "wav2vec2"])
def test_accent_archive_by_geo_and_zip(recogniser):
    log = read_log(REAL / "accent_archive/us_born_speakers.csv", columns={"errors": f"errors_{recogniser}"})
    result = audit(log, by=["geo", "zip"])
    geo, zips = result.partitions
    assert result.log.speakers == 344
    # One split is luck: the honest gap runs over both signs or nearly so, and the eleven agree.
    assert geo.splits.q05 < geo.gap.relative < geo.splits.q95
    assert geo.in_sample_gap.relative > 2 * geo.gap.relative > 0
    assert geo.chance.p_value < 0.05
    assert zips.chance.p_value > 0.05
    assert zips.gap.relative_low < 0 < zips.gap.relative_high


@needs_real
@pytest.mark.parametrize("hypothesis", ["hyp_whisper_tiny_en", "hyp_pocketsphinx"])
def test_librispeech_by_voice_has_too_few_speakers(hypothesis):
    log = read_log(
        REAL / "librispeech/utterances.csv",
        columns={"hypothesis": hypothesis},
        embeddings=REAL / "librispeech/utterance_embeddings.npz",
        normalizer="whisper-en",
    )
    result = audit(log, by=["voice"])
    voice = result.partition("voice")
    assert result.log.speakers == 10
    assert voice.gap.relative is None
    assert "too few speakers" in voice.gap.reason
    assert voice.bottom is None
    assert voice.chance.p_value is None
