"""What `fairaudit check` prints: what a log holds, and what could be seen in it."""

from __future__ import annotations

from collections.abc import Iterator

from fairaudit.provenance import Joined
from fairaudit.readiness import Detectable, LogCheck, PartitionCheck, ValueCheck
from fairaudit.report.blocks import Block, Paragraph, Points, Section, Table
from fairaudit.report.terminal import NARROWEST, laid_out, wrapped
from fairaudit.report.wording import UNITS
from fairaudit.wording import DASH, capitalised, clean, count, counted, percent, share

#: Values of a label column that are listed.
MOST_VALUES = 12
#: Characters of a digest that are shown.
DIGEST = 12
#: Cohorts that the first line may tell of, as shares of the speakers.
HEADLINES = (0.10, 0.20, 0.50)


def check_text(check: LogCheck, width: int = 120) -> str:
    """Render a check for a terminal, without colour codes.

    Parameters
    ----------
    check : LogCheck
    width : int
        Columns of the terminal, at least 80.

    Returns
    -------
    str
        Ends with a line end.
    """
    width = max(width, NARROWEST)
    parts = [wrapped(_sentence(check), width)]
    parts += [wrapped(f"WARNING: {capitalised(clean(text))}", width) for text in _warnings(check)]
    for section in (_read(check), _placed(check), _detectable(check)):
        parts.append(f"{section.title}\n{'=' * len(section.title)}")
        parts += [_block(block, width) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def _block(block: Block, width: int) -> str:
    match block:
        case Paragraph():
            return wrapped(block.text, width)
        case Points():
            title = [wrapped(block.title, width)] if block.title else []
            return "\n".join([*title, *(wrapped(f"* {item}", width, "  ") for item in block.items)])
        case Table():
            notes = [wrapped(f"[{n}] {note}", width, "    ") for n, note in enumerate(block.notes, start=1)]
            return "\n".join(
                [wrapped(block.caption, width), "", laid_out(block, width, compact=True), *notes]
            )
        case _:
            raise TypeError(f"a check has no {type(block).__name__}")


def _sentence(check: LogCheck) -> str:
    """Say first what everybody wants to know: what an audit of this log could show."""
    amount = f"{counted(check.speakers, 'speaker')}, {counted(check.utterances, 'utterance')}"
    held = f"The log has {amount} and {count(check.ref_words)} {_words(check)}."
    against_all = [d for d in check.detectable if d.cohort in HEADLINES and d.cohort + d.against == 1]
    for found in against_all:
        if found.relative is not None and not found.suppressed:
            return (
                f"{held} An audit would show a cohort of {share(found.cohort)} of the speakers, known "
                f"beforehand, four times in five if its {clean(check.metric.name)} were "
                f"{percent(found.relative)} % above everybody else's."
            )
    why = against_all[-1].reason or "too few speakers"
    return f"{held} No audit of it could show any gap ({why})."


def _words(check: LogCheck) -> str:
    unit = UNITS.get(check.metric.name.casefold())
    return f"reference {unit}" if unit else clean(check.metric.denominator)


def _warnings(check: LogCheck) -> list[str]:
    warnings = list(check.warnings)
    if check.independent_utterances:
        warnings.insert(
            0,
            "every utterance was taken for a speaker of its own: where people speak more than once, the "
            "smallest gaps below are too small",
        )
    return warnings


def _read(check: LogCheck) -> Section:
    """Say what was read as what, and what was left out."""
    rows = tuple(
        (clean(s.name), s.role, s.format or DASH, s.sha256[:DIGEST], count(s.rows)) for s in check.inputs
    )
    head = ("File or table", "Role", "Format", "SHA-256", "Rows")
    table = Table("Files, and the first characters of their digests.", head, rows, texts=4)
    points = [*_columns(check), *map(_joined, check.joined), _scored(check), _left_out(check)]
    points += [f"Not checked: {clean(text)}." for text in check.unchecked]
    return Section("What was read", (table, Points(tuple(point for point in points if point))))


def _columns(check: LogCheck) -> list[str]:
    """Say which columns were taken as what."""
    known, made, labels = [], [], []
    for column in check.columns:
        if column.taken_as == "label":
            labels.append(clean(column.name or ""))
        elif column.name is None:
            made.append(column.taken_as)
        elif column.name == column.taken_as:
            known.append(column.taken_as)
        else:
            known.append(f"{column.taken_as} (called {clean(column.name)} in the log)")
    named = f"Columns with a meaning of their own: {', '.join(known)}."
    if made:
        named += f" Worked out, or from other files: {', '.join(made)}."
    told = f"Labels that can be audited: {', '.join(labels)}." if labels else "There are no label columns."
    return [named, told]


def _joined(joined: Joined) -> str:
    unit = "utterances" if joined.key == "utterance_id" else "utterances, by their speaker,"
    how = "" if joined.matched_by == "exact" else f" (ids compared by {joined.matched_by})"
    return (
        f"Joined {joined.role} by {joined.key}{how}: {count(joined.utterances_matched)} of "
        f"{count(joined.utterances)} {unit} of the log are in that file, and {count(joined.rows_matched)} of "
        f"its {counted(joined.rows, 'row')} are in the log."
    )


def _scored(check: LogCheck) -> str:
    if check.text is None:
        return ""
    text = check.text
    by = f" with the normaliser {clean(check.scoring.normalizer)}" if check.scoring else ""
    return (
        f"Scored the text of {counted(text.utterances, 'utterance')}{by}: {count(text.missing)} without a "
        f"hypothesis, {count(text.empty_hypothesis)} with an empty one, {count(text.empty_reference)} with "
        f"an empty reference, {count(text.looped)} whose hypothesis has over five times the words of the "
        "reference."
    )


def _left_out(check: LogCheck) -> str:
    asked = ""
    if check.where:
        named = " and ".join(f"{clean(c)} is {' or '.join(map(clean, v))}" for c, v in check.where.items())
        asked = f"Only rows were read where {named}. "
    if not check.excluded:
        return f"{asked}No row was left out."
    reasons = "; ".join(f"{clean(reason)}: {count(n)}" for reason, n in check.excluded.items())
    left_out = sum(check.excluded.values())
    return f"{asked}Left out of {counted(check.utterances + left_out, 'row')}: {count(left_out)} ({reasons})."


def _placed(check: LogCheck) -> Section:
    """Say what each partition could place, and list the values of label columns."""
    if not check.partitions:
        return Section("What could be audited", (Paragraph("Nothing: there is nothing to partition by."),))
    notes: list[str] = []
    rows = tuple(_partition(p, check, notes) for p in check.partitions)
    head = ("By", "Speakers", "Utterances", "Words", "Utterances without a place", "Can show a gap")
    caption = "What each partition can place. A search finds its own cohorts; a label has one for each value."
    table = Table(caption, head, rows, texts=1, notes=tuple(notes))
    labels = [block for p in check.partitions if p.values for block in _values(p, check)]
    found = [_searched(p, check) for p in check.partitions if p.detectable]
    skipped = "; ".join(f"{clean(name)} ({clean(why)})" for name, why in check.skipped.items())
    points = [*found, *([f"Left aside: {skipped}."] if skipped else [])]
    return Section("What could be audited", (table, *([Points(tuple(points))] if points else []), *labels))


def _partition(p: PartitionCheck, check: LogCheck, notes: list[str]) -> tuple[str, ...]:
    marks = _note(notes, f"{capitalised(clean(p.reason))}.") if p.reason else ""
    if p.unplaced:
        named = "; ".join(f"{clean(reason)}: {counted(n, 'utterance')}" for reason, n in p.unplaced.items())
        lost = counted(p.unplaced_speakers, "speaker")
        marks += _note(notes, f"{capitalised(named)}. With no other utterance: {lost}.")
    counts = (count(p.speakers), count(p.utterances), count(p.ref_words), count(sum(p.unplaced.values())))
    return (f"{p.kind}: {clean(p.name)}{marks}", *counts, "yes" if p.enough else "no")


def _searched(p: PartitionCheck, check: LogCheck) -> str:
    """Say what gap a search could show."""
    found = p.detectable
    assert found is not None
    cohort = f"{clean(p.name)}: of a cohort of {share(found.cohort)} of its speakers the smallest gap is"
    if found.relative is None:
        return f"{cohort} not known ({found.reason})."
    return (
        f"{cohort} {percent(found.relative)} % if it were known beforehand, and about "
        f"{percent(check.search_cost * found.relative)} % if it has to be found."
    )


def _note(notes: list[str], text: str) -> str:
    """Add a footnote unless it is there, and return its mark."""
    if text not in notes:
        notes.append(text)
    return f" [{notes.index(text) + 1}]"


def _values(p: PartitionCheck, check: LogCheck) -> Iterator[Block]:
    """List the values of a label column, the most speakers first."""
    notes: list[str] = []
    rows = [_value(row, check, notes) for row in p.values[:MOST_VALUES]]
    caption = (
        f"By {clean(p.name)}: {counted(len(p.values), 'value')}, and the smallest gap of each against all "
        "other values."
    )
    head = ("Value", "Speakers", "Utterances", "Words", "Smallest gap (%)")
    yield Table(caption, head, tuple(rows), notes=tuple(notes))
    if more := p.values[MOST_VALUES:]:
        most = counted(more[0].speakers, "speaker")
        yield Paragraph(f"And {counted(len(more), 'more value')} of at most {most}; --json FILE writes all.")


def _value(row: ValueCheck, check: LogCheck, notes: list[str]) -> tuple[str, ...]:
    marks = ""
    if row.suppressed:
        fewest = check.min_speakers_shown
        marks += _note(notes, f"Fewer than {fewest} speakers: an audit would suppress its figures.")
    elif row.gap_suppressed:
        marks += _note(notes, _suppressed_gap(check))
    if row.reason:
        marks += _note(notes, f"No gap could be shown: {clean(row.reason)}.")
    counts = (count(row.speakers), count(row.utterances), count(row.ref_words))
    return (f"{clean(row.value)}{marks}", *counts, percent(row.smallest_gap))


def _suppressed_gap(check: LogCheck) -> str:
    fewest = check.min_speakers_shown
    return (
        f"Fewer than {2 * fewest} speakers: an audit would suppress its gap, which is measured on half of "
        "them at a time."
    )


def _detectable(check: LogCheck) -> Section:
    """Say how small a gap could be seen, and what would help."""
    notes: list[str] = []
    rows = tuple(_row(found, check, notes) for found in check.detectable)
    head = ("Cohort", "Speakers", "Smallest gap (%)", "With twice the speakers", "With twice the words")
    caption = (
        f"How much higher the {clean(check.metric.name)} of a cohort must be, in per cent of that of the "
        f"others, for an audit to show it (power {share(check.power)}, {share(check.confidence)} interval, "
        "two-sided)."
    )
    table = Table(caption, head, rows, notes=tuple(notes))
    return Section("The smallest gap that could be shown", (table, Points(tuple(_advice(check)))))


def _row(found: Detectable, check: LogCheck, notes: list[str]) -> tuple[str, ...]:
    both = found.cohort == found.against
    name = f"{share(found.cohort)} against {'another ' + share(found.against) if both else 'everybody else'}"
    if found.reason:
        name += _note(notes, f"{capitalised(found.reason)}.")
    elif found.suppressed:
        name += _note(notes, _suppressed_gap(check))
    gaps = (found.relative, found.twice_the_speakers, found.twice_the_words)
    return (name, count(found.speakers), *map(percent, gaps))


def _advice(check: LogCheck) -> list[str]:
    fewest = check.min_speakers_shown
    return [
        "This is of cohorts that are known beforehand, such as the two values of a label. A cohort that has "
        "to be found, by geo, zip or voice or as the worst of many values, needs a larger gap: about "
        f"{check.search_cost:g} times as large.",
        "More speakers help more than more words of the same speakers. The speakers of this log are worth "
        f"{count(round(check.n_effective))} who all talk equally much.",
        f"A gap needs two cohorts with at least {check.fewest_in_half} speakers in both halves of a split, "
        f"about {check.fewest_speakers} each. Figures of fewer than {fewest} speakers are suppressed, and "
        f"gaps of fewer than about {2 * fewest} (--min-speakers-shown).",
        "Worked out from how much speakers vary about the rate of the whole log. Errors of no cohort were "
        "looked at, so the log can still be mended without knowing how an audit would turn out.",
    ]
