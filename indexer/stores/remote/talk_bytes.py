"""What a catalog holds of a talk as bytes, for a store that others can write to as well.

The bytes are JSON, compressed by zlib, and behind it the codes of tokens as they are; never a pickle, which is a
program. Whoever unpacks them trusts nothing: how large they become is bounded before they are unpacked, each value has
the type and the range of its column, and what is derived of others (digests, seals) is made again.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from talksearch.indexer.errors import StoreError
from talksearch.indexer.records import Cue, Field, Json, Mishearing, Origin, RareWord, Timing, Track, TrackOrigin
from talksearch.indexer.stores.catalog_talks import TalkRow
from talksearch.indexer.stores.catalog_writer import CueInsert, PassageInsert, TalkRows, text_digest
from talksearch.indexer.stores.seals import seal
from talksearch.indexer.stores.talk_rows import CatalogTalk

FORMAT = 1
"""The first byte. Raised when an older talksearch could not read the bytes any more."""

LARGEST = 192 << 20
"""Bytes of JSON, at most: a talk of two million words, each with its time, has a third of that."""

_MOST_LISTS = 6_000_000
"""Lists in this JSON, at most: a list takes sixty times as much memory as the two bytes that it is written in."""

_MOST_VALUES = 40_000_000
"""Values in these lists, at most."""

_LARGEST_NUMBER = 2**31 - 1
"""Of a time in milliseconds (25 days) and of a position: what the arrays of `columns` hold."""

_LENGTH_BYTES = 8
"""Bytes in which the length of the JSON stands behind the format."""

_HINT = "Put the talk there again from its index: talksearch index --store URL"


@dataclass(frozen=True, slots=True)
class UnpackedTalk:
    """A talk as it was packed."""

    talk: CatalogTalk
    """Without what is remembered of its files, which are the writer's."""
    codes: tuple[bytes | None, ...]
    """The codes of the tokens of each passage (`encoders.token_codes`), None where it has none."""
    directions: str
    """Along which directions these were encoded (`digest_of`): codes of others cannot be compared with them. Empty
    where there are none."""


def digest_of(directions: bytes) -> str:
    """Return what tells the directions of an index from others, given what its `directions.npy` holds."""
    return hashlib.blake2b(directions, digest_size=16).hexdigest() if directions else ""


def pack(talk: CatalogTalk, codes: Sequence[bytes | None], directions: str) -> bytes:
    """Return a talk as bytes.

    Args:
        talk: The talk, as `talk_rows.read_rows` returns it; what it remembers of files is left out.
        codes: The codes of the tokens of each of its passages, None where it has none.
        directions: Along which directions these were encoded (`digest_of`).

    Raises:
        StoreError: It is larger than `unpack` takes.
    """
    rows = talk.rows
    text = json.dumps(
        {
            "path": talk.path,
            "talk": rows.talk,
            "cues": [cue[:-1] for cue in rows.cues],
            "passages": [(*passage[:_DIGEST], *passage[_DIGEST + 1 :]) for passage in rows.passages],
            "tracks": [
                [
                    [track.number, track.language, track.origin, track.source],
                    [[cue.start_ms, cue.end_ms, cue.text] for cue in track.cues],
                ]
                for track in rows.tracks
            ],
            "mishearings": [[name.heard, name.meant, name.strange] for name in talk.mishearings],
            "rare_words": [[rare.sound, rare.word, rare.term, rare.strange] for rare in talk.rare_words],
            "codes": [None if code is None else len(code) for code in codes],
            "directions": directions,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    if (problem := _too_large(text)) is not None:
        raise StoreError(f"The talk {talk.rows.talk_id} is too large for a store: {problem}.", "Split its transcript.")
    packed = zlib.compress(text, 6)
    return b"".join(
        [bytes([FORMAT]), len(packed).to_bytes(_LENGTH_BYTES, "little"), packed, *(code for code in codes if code)]
    )


def unpack(data: bytes) -> UnpackedTalk:
    """Return the talk that was packed. Raises StoreError where these are no such bytes, or of another version's."""
    if not data or data[0] != FORMAT:
        named = f"format {data[0]}" if data else "no format"
        raise StoreError(
            f"A talk in the store has {named}, and this version of talksearch reads format {FORMAT}.",
            "Use the version of talksearch that wrote it.",
        )
    try:
        return _unpacked(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        reason = str(error) or type(error).__name__
        raise StoreError(f"A talk in the store is damaged ({reason[:200]}).", _HINT) from error


def _unpacked(data: bytes) -> UnpackedTalk:
    start = 1 + _LENGTH_BYTES
    end = start + int.from_bytes(data[1:start], "little")
    if end > len(data):
        raise ValueError("it is cut off")
    values = json.loads(_inflated(data[start:end]))
    talk = TalkRow(*_row(values["talk"], _TALK))
    passages = [_passage(row) for row in values["passages"]]
    codes = _codes(values["codes"], data[end:])
    if len(codes) != len(passages):
        raise ValueError("its passages and codes do not fit each other")
    return UnpackedTalk(
        CatalogTalk(
            _text(values["path"]),
            TalkRows(
                talk,
                [_cue(talk.id, number, row) for number, row in enumerate(values["cues"])],
                passages,
                tuple(_track(number, *track) for number, track in enumerate(values["tracks"], 1)),
            ),
            tuple(Mishearing(*_row(row, (_text, _text, _truth))) for row in values["mishearings"]),
            tuple(RareWord(*_row(row, (_text, _text, _text, _truth))) for row in values["rare_words"]),
            (),
        ),
        codes,
        _text(values["directions"]),
    )


def _inflated(packed: bytes) -> bytes:
    inflate = zlib.decompressobj()
    text = inflate.decompress(packed, LARGEST + 1)
    if len(text) <= LARGEST and (not inflate.eof or inflate.unused_data):
        raise ValueError("its compressed part is cut off, or longer than it says")
    if (problem := _too_large(text)) is not None:
        raise ValueError(problem)
    return text


def _too_large(text: bytes) -> str | None:
    """Return why JSON would take too much memory to be read; None where it does not."""
    if len(text) > LARGEST:
        return f"it has more than {LARGEST >> 20} MB"
    if text.count(b"[") + text.count(b"{") > _MOST_LISTS or text.count(b",") > _MOST_VALUES:
        return f"it has more than {_MOST_LISTS:,} rows"
    return None


# --- values ---------------------------------------------------------------------------------------------------------


def _row(values: Json, kinds: Sequence[Callable[[Json], Json]]) -> list[Json]:
    if not isinstance(values, list) or len(values) != len(kinds):
        raise ValueError("a row has other columns")
    return [kind(value) for kind, value in zip(kinds, values, strict=True)]


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} stands where a text belongs")
    if not value.isascii():
        value.encode()  # half a pair of surrogates, which JSON can spell, raises ValueError
    return value


def _optional_text(value: Json) -> str | None:
    return None if value is None else _text(value)


def _number(value: Json) -> int:
    if type(value) is not int:
        raise TypeError(f"{str(value)[:40]!r} stands where a number belongs")
    if not -1 <= value <= _LARGEST_NUMBER:
        raise ValueError("a number is out of range")
    return value


def _optional_number(value: Json) -> int | None:
    return None if value is None else _number(value)


def _truth(value: Json) -> bool:
    if value not in (0, 1):
        raise ValueError(f"{str(value)[:40]!r} stands where yes or no belongs")
    return bool(value)


def _one_of(names: Sequence[str]) -> Callable[[Json], str]:
    def check(value: Json) -> str:
        if value not in names:
            raise ValueError(f"{str(value)[:40]!r} stands where one of {', '.join(names)} belongs")
        return str(value)

    return check


def _json_of(check: Callable[[Json], object]) -> Callable[[Json], str]:
    """Return what takes a text that is JSON, of values that `check` takes."""

    def checked(value: Json) -> str:
        text = _text(value)
        check(json.loads(text))
        return text

    return checked


def _list_of(check: Callable[[Json], object]) -> Callable[[Json], list[object]]:
    def checked(value: Json) -> list[object]:
        if not isinstance(value, list):
            raise TypeError("no list stands where one belongs")
        return [check(item) for item in value]

    return checked


def _chapter(value: Json) -> None:
    _row(value, (_number, _text))


def _word(value: Json) -> None:
    _row(value, (_text, _number))


def _receipt(value: Json) -> None:
    known = {"words_before", "words_after", "steps", "uncertain", "words_folded", "words_left_out", "words_lost"}
    if not {"steps", "uncertain"} <= value.keys() <= known:
        raise ValueError("its receipt has other parts")
    _list_of(_text)(value["uncertain"])
    for step in value["steps"]:
        if step.keys() != {"name", "field", "detail"} or not isinstance(step["detail"], dict):
            raise ValueError("a step of its receipt has other parts")
        _text(step["name"])
        _text(step["field"])
    for name, count in value.items():
        if name == "words_left_out":
            for reason, words in count.items():
                _text(reason)
                _number(words)
        elif name.startswith("words_"):
            _number(count)


_DIGEST = PassageInsert._fields.index("digest")
_JSON_WORDS = _json_of(_list_of(_word))
_TALK = (
    _text, _text, _text, _text, _one_of(get_args(Timing)), _number, _one_of(get_args(Origin)), _optional_text,
    _optional_text, _optional_text, _optional_text, _optional_text, _optional_text, _optional_number, _text,
    _json_of(_list_of(_chapter)), _json_of(_receipt),
)  # fmt: skip
"""What the columns of `TalkRow` are."""
_CUE = (_number, _number, _number, _text, _optional_text, _truth, lambda value: value and _JSON_WORDS(value))
"""What the columns of `CueInsert` are, without its seal."""
_PASSAGE = (
    _text, _number, _number, _number, _number, _text, _json_of(_list_of(_text)), _one_of(get_args(Field)), _text, _text,
)  # fmt: skip
"""What the columns of `PassageInsert` are, without its digest."""


def _cue(talk_id: str, number: int, values: Json) -> CueInsert:
    cue = _row(values, _CUE)
    if cue[0] != number:
        raise ValueError("its cues are out of order")
    return CueInsert._make([*cue, seal(talk_id, *cue)])


def _passage(values: Json) -> PassageInsert:
    row = _row(values, _PASSAGE)
    text: str = row[PassageInsert._fields.index("text")]
    return PassageInsert._make([*row[:_DIGEST], text_digest(text), *row[_DIGEST:]])


def _track(number: int, head: Json, cues: Json) -> Track:
    found, language, origin, source = _row(head, (_number, _text, _one_of(get_args(TrackOrigin)), _text))
    if found != number:
        raise ValueError("its tracks are out of order")
    rows = [_row(cue, (_number, _number, _text)) for cue in cues]
    return Track(
        number, language, origin, source, tuple(Cue(start_ms, end_ms, text) for start_ms, end_ms, text in rows)
    )


def _codes(lengths: Json, data: bytes) -> tuple[bytes | None, ...]:
    codes: list[bytes | None] = []
    at = 0
    for length in lengths:
        if length is None:
            codes.append(None)
        else:
            codes.append(data[at : at + _number(length)])
            at += length
    if at != len(data):
        raise ValueError("its codes are cut off, or longer than they say")
    return tuple(codes)
