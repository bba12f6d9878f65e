"""Audits made by hand, so that every sentence of a report can be asked for, and a reader of pages."""

from __future__ import annotations

from html.parser import HTMLParser

import msgspec

from fairaudit.evidence import (
    AttributeGap,
    Chance,
    InSample,
    Layout,
    Place,
    SharePoint,
    Splits,
    Stability,
    Trait,
)
from fairaudit.provenance import DiscoveredOn, DiscovererRecord, LogSummary, Metric, Source, Subject
from fairaudit.rates import Gap, Rate, Share
from fairaudit.result import AuditResult, Cohort, Gaps, PartitionResult, Side, Unassigned

FEW = "too few speakers: only 0 of 22 ways leave two cohorts with at least 5 speakers in both halves"
HIDDEN = "suppressed: fewer than 11 speakers, here or in what it could be subtracted from"
EVIL = [
    "<script>alert(1)</script>",
    "a|b",
    "`code` *bold* _it_ ~~no~~",
    "[link](javascript:alert(1)) ![x](http://x.example/x.png)",
    "=HYPERLINK(1)",
    "-5",
    "@here",
    "+1",
    "red\x1b[31m\u202eturned",
    "two\nlines\r\n# title",
    "&lt;b&gt; \"quoted\" 'so'",
]


#: Three regions of the United States: the north, and the south in two.
BOXES = {
    "kind": "boxes",
    "grid": 0.05,
    "boxes": [[740, None, None, None], [None, 740, None, -1900], [None, 740, -1900, None]],
}


def cohort(name, wer=0.12, *, rank=1, speakers=100, label=None, **fields):
    return Cohort(
        cohort=name,
        id=f"id-{name}",
        label=label or f"accent is {name}",
        rank=rank,
        suppressed=False,
        share=Share(speakers=0.25, utterances=0.24, ref_words=0.23),
        **{
            "speakers": speakers,
            "utterances": 1234,
            "ref_words": 10_000,
            "errors": round(10_000 * wer),
            "wer": wer,
            "low": wer * 0.9,
            "high": wer * 1.1,
        }
        | fields,
    )


#: What is said of a cohort that is compared with everybody else.
JUDGED = {
    "against_rest": Gap(definition="", relative=0.3, relative_low=0.1, relative_high=0.5),
    "status": "flagged",
    "p_adjusted": 0.01,
    "profile": (Trait(column="device", value="far field", lift=1.8, low=1.2, high=2.6, p_adjusted=0.02),),
}


def hidden(name, **fields):
    figures = dict.fromkeys(("speakers", "utterances", "ref_words", "errors", "wer", "low", "high"))
    row = cohort(name, **fields)
    return msgspec.structs.replace(row, **figures, share=None, suppressed=True, reason=HIDDEN)


def side(names, wer, share):
    return Side(
        cohorts=tuple(names),
        share=Share(speakers=share, utterances=share, ref_words=share),
        speakers=50,
        wer=wer,
        low=wer * 0.9,
        high=wer * 1.1,
    )


def chance(p=0.005, holm=None, in_sample=0.005, replicates=199):
    return Chance(
        replicates=replicates,
        gaps=(),
        p95=0.142,
        in_sample_mean=0.219,
        in_sample_p_value=in_sample,
        p_floor=1 / (1 + replicates),
        p_value=p,
        p_value_holm=p if holm is None else holm,
    )


def partition(name="accent", wers=(0.14, 0.10), shares=(0.12, 0.09), tested="told", **fields):
    bottom, top = wers
    tests = {"told": chance(), "not told": chance(0.3), "not asked": None}
    gap = Gap(
        definition="bottom against top",
        relative=bottom / top - 1 if top else None,
        relative_low=0.1 if top else None,
        relative_high=0.7 if top else None,
        absolute=bottom - top,
        relative_to_bottom=1 - top / bottom if bottom else None,
        reason=None if top else "the top has no errors to compare with",
    )
    made = PartitionResult(
        name=name,
        kind="lookup",
        origin="declared",
        discovered_on=DiscoveredOn(sha256="c0ffee", seed=1),
        digest="d1e5",
        rule={},
        discoverer=None,
        exploratory=False,
        overall=Rate(wer=0.12, speakers=400),
        splits=Splits(n=11, ways=22, q05=0.05, median=0.38, q95=0.6, chosen={}),
        cohorts=(cohort("b", 0.13, rank=1), cohort("t", 0.11, rank=3), cohort("r", 0.12, rank=2)),
        unassigned=None,
        bottom=side("b", bottom, shares[0]),
        top=side("t", top, shares[1]),
        rest=side("r", 0.12, 0.5),
        gap=gap,
        gaps=Gaps(rest=Gap(definition="", relative=0.2), overall=None, reference=None),
        in_sample_gap=InSample(relative=0.889, absolute=0.1, searched="half"),
        gap_by_share=(SharePoint(share=0.25, relative=0.31),),
        attributes=(),
        stability=None,
        chance=tests[tested],
    )
    return msgspec.structs.replace(made, **fields)


def without_gap(name="accent", reason=FEW, in_sample_gap=None, **fields):
    none = {"bottom": None, "top": None, "rest": None, "gap": Gap(definition="", reason=reason)}
    return partition(name, in_sample_gap=in_sample_gap, **none, **fields)


def zip_partition(**fields):
    where = "people living in ZIP codes where"
    rows = (
        cohort("pct_hispanic above", 0.18, label=f"{where} most are Hispanic"),
        cohort("pct_hispanic at or below", 0.14, rank=2, label=f"{where} at most half are Hispanic"),
    )
    tried = [
        AttributeGap(name="pct_hispanic", bottom=f"{where} most are Hispanic", chosen=True,
                     relative=0.24, low=0.08, high=0.43, share=0.1, p_value=0.005, p_holm=0.01),
        AttributeGap(name="pct_asian", bottom=None, chosen=False,
                     relative=None, low=None, high=None, share=None, p_value=None, p_holm=None,
                     reason="too few speakers on a side"),
    ]  # fmt: skip
    return partition(
        "zip",
        kind="threshold",
        origin="discovered",
        rule={"attribute": "pct_hispanic"},
        discoverer=DiscovererRecord(name="zip", parameters={"min_speakers": 30, "zip_table": None}),
        cohorts=rows,
        bottom=side(["pct_hispanic above"], 0.16, 0.32),
        top=side(["pct_hispanic at or below"], 0.14, 0.68),
        splits=Splits(
            n=11, ways=22, q05=0, median=0.1, q95=0.2, chosen={"pct_hispanic": 15, "median_age": 7}
        ),
        attributes=tuple(tried),
        **fields,
    )


def result(*partitions, metric="WER", log=None, **fields):
    options = {"permutations": 199, "confidence": 0.95, "min_speakers_shown": 11, "bottom_share": 0.1}
    summary = LogSummary(
        sha256="ab" * 32,
        utterances=9000,
        speakers=400,
        ref_words=99_000,
        errors=9_900,
        excluded={},
        unchecked=(),
        warnings=(),
    )
    made = AuditResult(
        schema_version=1,
        fairaudit_version="0.1.0",
        signature="fairaudit:0.1.0 | metric:WER | seed:1",
        created_at="2026-01-01T00:00:00+00:00",
        seed=1,
        options=options | fields.pop("options", {}),
        environment={"numpy": "2.4.6"},
        files={},
        subject=Subject(model="model-1", dataset="set-1"),
        metric=Metric(name=metric, numerator="errors", denominator="ref_words"),
        metrics={},
        inputs=(Source(role="log", name="log.csv", sha256="cd" * 32, rows=9000),),
        scoring=None,
        log=msgspec.structs.replace(summary, **(log or {})),
        overall=Rate(wer=0.1, low=0.09, high=0.11, speakers=400),
        skipped={},
        partitions=partitions,
    )
    return msgspec.structs.replace(made, **fields)


def rich_result():
    """Return a result with every kind of partition and every remark."""
    voice = partition(
        "voice",
        kind="centroids",
        origin="discovered",
        discoverer=DiscovererRecord(name="voice", parameters={"k": None}),
        stability=Stability(adjusted_rand=0.861, seeds=5),
        layout=Layout(
            places=(
                Place(cohort="b", x=-0.5, y=0.1),
                Place(cohort="t", x=0.3, y=0.2),
                Place(cohort="r", x=0.2, y=-0.3),
            ),
            explained=(0.6, 0.4),
        ),
        tested="not told",
    )
    geo = partition(
        "geo",
        kind="boxes",
        origin="saved",
        splits=None,
        in_sample_gap=None,
        exploratory=True,
        rule=BOXES,
        extent=(30, 45, -120, -75),
    )
    unassigned = Unassigned(
        **msgspec.to_builtins(Rate(speakers=35, utterances=228, wer=0.112, low=0.085, high=0.148)),
        share=Share(speakers=0.02, utterances=0.03, ref_words=0.03),
        reasons={"no accent": 228},
    )
    kinds = {"substitutions": 700, "deletions": 400, "insertions": 100}
    accent = partition(
        "accent",
        unassigned=unassigned,
        cohorts=(cohort("b", **kinds, **JUDGED), cohort("t", **kinds), hidden("r")),
        chance=msgspec.structs.replace(chance(), gaps=tuple(n / 100 for n in range(-10, 15))),
    )
    return result(
        geo,
        zip_partition(),
        voice,
        accent,
        without_gap("dialect", chance=chance(None, in_sample=0.375)),
        skipped={"city": "more than 50 values; ask for it with --by city"},
        options={"min_speakers_shown": 5},
        log={
            "excluded": {"no speaker": 3, "negative count": 2},
            "warnings": ("2 ZIP codes were repaired",),
            "unchecked": ("duplicate utterance ids",),
        },
    )


def evil_result():
    rows = tuple(
        cohort(name, rank=n + 1, label=f"<b>|` is {name}", wer=0.1 + n / 100) for n, name in enumerate(EVIL)
    )
    evil = partition(
        "<b>|`", cohorts=rows, bottom=side([EVIL[0], EVIL[8]], 0.2, 0.1), top=side(EVIL[-1:], 0.1, 0.1)
    )
    return result(
        evil,
        subject=Subject(model="<img src=x onerror=alert(1)>", dataset="](x)"),
        log={"warnings": ("label <i>x</i>",), "excluded": {"<u>": 1}},
        skipped={"<s>": "`why`"},
        options={"model": "<img src=x>"},
    )


class Page(HTMLParser):
    """Reads a page: its tags with their attributes, its text, and whether every tag is closed."""

    EMPTY = ("meta", "br")

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes), tuple(self.open)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def named(self, *tags):
        return [(attributes, within) for tag, attributes, within in self.tags if tag in tags]
