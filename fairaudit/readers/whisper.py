"""Whisper's JSON: one file for each audio file, called after it.

Read are what openai-whisper writes (`WriteJSON` of its `whisper/utils.py`: text, segments, language),
what whisper-ctranslate2, faster-whisper programs and WhisperX write in its manner, with or without the
text as a whole, and a bare list of segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fairaudit.readers.document import Document
from fairaudit.readers.formats import TEXT, Row
from fairaudit.readers.objects import first_value, value_of

#: Files of a folder by which it is recognised.
FIRST = 20
SEGMENT = {"start", "end", "text"}
#: Languages that are written without spaces, as Whisper's own tokenizer has them.
SPACELESS = {"zh", "ja", "th", "lo", "my", "yue"}
#: The beginning of a list of segments, in a file that goes on after its head.
SEGMENTS = re.compile(r'"segments"\s*:\s*\[\s*(?=\{)')


class Whisper:
    """The hypothesis of one audio file, or of a folder of them."""

    name = "whisper"
    title = "Whisper, faster-whisper: a JSON file for each audio file, or a folder of them"
    carries = ("utterance_id", TEXT, "duration", "language")

    def recognises(self, document: Document) -> bool:
        """Tell a transcript by its segments, a folder by the first of its JSON files."""
        if document.is_folder:
            # One that is cut short must not make the folder one of no format.
            return any(self.recognises(file) for file in document.children("*.json")[:FIRST])
        return _is_transcript(document.head().strip())

    def rows(self, document: Document) -> Iterator[Row]:
        """Give a row for each file; a folder's own files, sorted by name."""
        for file in document.children("*.json") if document.is_folder else [document]:
            yield _row(file)


def _is_transcript(head: str) -> bool:
    value, rest = first_value(head)
    if value is not None and rest.strip():
        # Something follows: these are JSON lines.
        return False
    if isinstance(value, dict):
        segments = value.get("segments")
        if not isinstance(segments, list):
            return False
        return _is_segment(segments[0]) if segments else bool({"text", "language"} & value.keys())
    if isinstance(value, list):
        return bool(value) and _is_segment(value[0])
    # The file goes on after its head.
    found = SEGMENTS.search(head) if head.startswith("{") else re.match(r"\[\s*(?=\{)", head)
    return found is not None and _is_segment(first_value(head[found.end() :])[0])


def _is_segment(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() >= SEGMENT


def _row(file: Document) -> Row:
    value = value_of(file)
    transcript = {"segments": value} if isinstance(value, list) else value
    if not isinstance(transcript, dict) or not ({"text", "segments"} & transcript.keys()):
        raise file.error(
            "this is no transcript of Whisper",
            allowed="an object with text or segments, or a list of segments",
            fix="keep other JSON files out of the folder",
        )
    language = transcript.get("language")
    text = transcript.get("text")
    if text is None:
        text = _joined(transcript.get("segments"), language, file)
    elif not isinstance(text, str):
        raise file.error("text is no text", allowed="the transcript, or null where there are segments")
    row = {"utterance_id": file.stem, TEXT: text.strip()}
    others = {name: transcript.get(name) for name in ("language", "duration")}
    return row | {name: value for name, value in others.items() if isinstance(value, str)}


def _joined(segments: Any, language: Any, file: Document) -> str:
    """Join segments: their texts begin with a space where a word begins, unless a program cut it off."""
    if not isinstance(segments, list):
        raise file.error("no text and no segments", allowed="a list of segments, empty for silence")
    joined = ""
    for number, segment in enumerate(segments, 1):
        text = segment.get("text") if isinstance(segment, dict) else None
        if not isinstance(text, str):
            raise file.error(f"segment {number} has no text", allowed="text in every segment")
        apart = language in SPACELESS or joined[-1:].isspace() or text[:1].isspace()
        joined += text if apart else f" {text}"
    return joined
