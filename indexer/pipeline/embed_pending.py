"""Giving passages their vectors: each text goes through the model once, into Chroma and into the copy of the vectors.

Passages are taken in an order of their own (`embed_order`), in windows, and three things happen at once: the model
works on one window in a thread of its own, another thread puts the window before it into the stores, and this one reads
the next window, so that the model never waits. A window counts as embedded only when the stores have it.
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.encoders.base import Encoder, TokenEncoder
from talksearch.indexer.stores import asked, catalog, catalog_writer, copy_check, pace, vectors
from talksearch.indexer.stores.chroma import collection as passages
from talksearch.indexer.stores.chroma.describe import describe
from talksearch.indexer.stores.chroma.store import by_partition, open_partition
from talksearch.indexer.stores.chroma.writer import PassageWriter, writer
from talksearch.indexer.stores.vectors import Vectors
from talksearch.indexer.worker import WorkerProcess

from .embed_order import windows
from .settle_stores import partition_sizes, passage_numbers, settle_stores

WINDOW = 1_024
"""Passages between two commits. An interrupted run loses no more than two windows, and one is left to be written when
the model is done. In smaller windows, too few passages have the same length, which is what the model does best."""

_MOMENT_S = 1e-3
"""The shortest time that is measured, in seconds."""

_SAMPLE = 4_096
"""Passages by which an encoder is chosen, spread over all that wait."""

_WAITING = """
SELECT number, id, text, digest,
    (SELECT other.number FROM passages other WHERE other.digest = passages.digest AND other.embedded LIMIT 1)
FROM passages WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number
"""


@dataclass(frozen=True, slots=True)
class PassageEncoding:
    """What the model makes of a text."""

    vector: Floats
    """Normalised (dimension,)."""
    codes: bytes | None
    """The codes of its tokens (`token_codes.encode`); None where the model gives tokens no vectors."""


EncodeTexts = Callable[[list[str]], list[PassageEncoding]]
"""Returns the encoding of each text."""


class _PendingPassage(NamedTuple):
    """A passage that has no vector yet."""

    number: int
    id: str
    text: str
    digest: bytes
    embedded_twin: int | None
    """The number of an embedded passage with the same text, if there is one."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Passages that get their vectors together."""

    passages: list[_PendingPassage]
    numbers: Ints
    known: dict[bytes, PassageEncoding]
    """Encodings that were there before, by the digest of the text."""
    submitted: list[bytes]
    """Digests of the texts that the model was given."""
    encoding: Future[list[PassageEncoding]] | None
    """What the model makes of these; None where it was given none."""

    def encodings(self, previous: Iterable[Mapping[bytes, PassageEncoding]]) -> list[PassageEncoding]:
        """Wait for the model and return the encoding of each passage. `previous` are those of the windows before."""
        by_digest: dict[bytes, PassageEncoding] = {}
        for encodings in (*previous, self.known):
            by_digest.update(encodings)
        if self.encoding is not None:
            by_digest.update(zip(self.submitted, self.encoding.result(), strict=True))
        return [by_digest[passage.digest] for passage in self.passages]


@dataclass(frozen=True, slots=True)
class _Write:
    """A window that is on its way into the stores."""

    numbers: Ints
    codes: list[bytes | None]
    partition_sizes: Future[Mapping[int, int]]


def embed_pending(
    db: sqlite3.Connection,
    folder: Path,
    encode_for: Callable[[Sequence[str], int], EncodeTexts],
    dimension: Callable[[], int],
    tell: Callable[[int, int], None],
    early: Future[WorkerProcess | None] | None = None,
    at_once: int = 1,
) -> int:
    """Embed every passage that has no vector yet, and take the passages that left the index out of the stores.

    Args:
        db: The catalog, open for writing.
        folder: The index folder.
        encode_for: Returns what encodes texts, given a sample of the passages that wait and how many wait. It is not
            called before there is a text to embed.
        dimension: Returns the dimension of the vectors.
        tell: Is called with (passages done, passages in all).
        early: What `early_process` of the Chroma store gave.
        at_once: How many windows are encoded at the same time, each in a thread of its own.

    Returns:
        How many passages went through the model. A text that was embedded before, or stands twice, does not.
    """
    total = int(db.execute("SELECT count(*) FROM passages WHERE NOT embedded").fetchone()[0])
    leaving = catalog.leaving(db)
    if not total and not leaving:
        asked.forget(folder)
        return 0
    tell(0, total)
    with writer(folder, total, partition_sizes(passage_numbers(db, "WHERE embedded")), leaving, early) as put:
        encode = cache(lambda: encode_for(_sample(db, total), total))
        run = _EmbeddingRun(db, folder, encode, dimension, put, lambda done: tell(done, total), at_once)
        try:
            pace.begin(folder)
            run.embed_all()
            asked.forget(folder)
        finally:
            pace.forget(folder)
    settle_stores(db, folder, run.partition_sizes, dimension())
    return run.encoded


def mend_copy(db: sqlite3.Connection, folder: Path, dimension: int) -> int:
    """Take the vectors of embedded passages that the copy lacks from Chroma; return how many these were.

    All of them, where the copy is damaged or of another catalog. Passages that Chroma lacks as well count as not
    embedded from now on.
    """
    copy = vectors.read(folder, dimension)
    if not (copy_check.may_be_read(folder, db) and copy_check.is_of(folder, db, copy)):
        vectors.delete(folder)
        copy = vectors.read(folder, dimension)
    numbers = passage_numbers(db, "WHERE embedded")
    lacking = numbers[copy.find(numbers) < 0]
    mended = 0
    for partition, positions in by_partition(lacking) if len(lacking) else ():
        in_partition = lacking[positions].tolist()
        with open_partition(folder, partition) as collection:
            for first in range(0, len(in_partition), WINDOW):
                batch = in_partition[first : first + WINDOW]
                number_of = dict(
                    db.execute(
                        f"SELECT id, number FROM passages WHERE number IN ({catalog.placeholders(len(batch))})",  # noqa: S608
                        batch,
                    )
                )
                vector_of = passages.read(collection, list(number_of))
                with catalog.transaction(db):
                    catalog_writer.put_unembedded(
                        db, [number for id_, number in number_of.items() if id_ not in vector_of]
                    )
                if vector_of:
                    rows = sorted((number_of[id_], vector) for id_, vector in vector_of.items())
                    vectors.append(
                        folder,
                        np.array([number for number, _ in rows], np.int64),
                        np.array([vector for _, vector in rows], np.float32),
                    )
                    mended += len(rows)
    return mended


def encode(folder: Path, encoder: Encoder, texts: Sequence[str]) -> list[PassageEncoding]:
    """Return what an encoder makes of texts, with the codes of tokens that the index in `folder` keeps."""
    return encode_along(token_codes.read(folder), encoder, texts)


def encode_along(directions: Floats | None, encoder: Encoder, texts: Sequence[str]) -> list[PassageEncoding]:
    """Return what an encoder makes of texts, with the codes of tokens along some directions, where there are any."""
    if directions is None or not isinstance(encoder, TokenEncoder):
        return [PassageEncoding(vector, None) for vector in encoder.encode_passages(texts)]
    codes = [b""] * len(texts)

    def keep_codes(position: int, token_vectors: Floats) -> None:
        codes[position] = token_codes.encode(directions, token_vectors)

    # These products are small, and threads of numpy's library that wait for more take the processor from the model.
    with threadpool_limits(1, "blas"):
        text_vectors = encoder.encode_by_token(texts, keep_codes)
    return [PassageEncoding(vector, code) for vector, code in zip(text_vectors, codes, strict=True)]


class _EmbeddingRun:
    """Takes all passages that wait through the model and into the stores, a window at a time."""

    def __init__(
        self,
        db: sqlite3.Connection,
        folder: Path,
        encode: Callable[[], EncodeTexts],
        dimension: Callable[[], int],
        put: PassageWriter,
        tell: Callable[[int], None],
        at_once: int,
    ) -> None:
        self.encoded = 0
        """Texts that went through the model."""
        self.partition_sizes: dict[int, int] = {}
        """How many passages the partitions of the Chroma store hold that some were put into."""
        self._db, self._folder, self._encode, self._dimension = db, folder, encode, dimension
        self._put, self._tell, self._at_once = put, tell, at_once
        self._embedded = 0
        self._started = 0.0
        self._copy: Vectors | None = None
        self._write: _Write | None = None
        self._previous: deque[dict[bytes, PassageEncoding]] = deque(maxlen=at_once)
        """The encodings of the windows before, which the stores may not have had yet when a window was read."""

    def embed_all(self) -> None:
        """Embed every passage that waits."""
        catalog.flush(self._folder)
        waiting = windows(self._db, WINDOW, partial(asked.read, self._folder))
        with (
            ThreadPoolExecutor(1, "talksearch-stores") as stores,
            ThreadPoolExecutor(self._at_once, "talksearch-model") as model,
        ):
            under_way: deque[_Window] = deque()
            self._begin_windows(model, waiting, under_way, 1)
            self._started = monotonic()  # the encoder is loaded and chosen
            while under_way:
                window = under_way[0]
                descriptions = describe(self._db, window.numbers.tolist())
                self._finish_write()  # before the next window is read, which asks what has a vector
                self._begin_windows(model, waiting, under_way, 1 + self._at_once)
                encodings = window.encodings(self._previous)
                under_way.popleft()
                self.encoded += len(window.submitted)
                self._previous.append(
                    {passage.digest: encoding for passage, encoding in zip(window.passages, encodings, strict=True)}
                )
                self._write = _Write(
                    window.numbers,
                    [encoding.codes for encoding in encodings],
                    stores.submit(
                        _put_into_stores,
                        self._folder,
                        self._put,
                        window,
                        np.array([encoding.vector for encoding in encodings], np.float32),
                        descriptions,
                        self._open_copy().find(window.numbers) < 0,
                    ),
                )
            self._finish_write()

    def _begin_windows(
        self, model: ThreadPoolExecutor, waiting: Iterator[Ints], under_way: deque[_Window], count: int
    ) -> None:
        """Begin windows until so many are under way, or no passage waits any more."""
        while len(under_way) < count and (numbers := next(waiting, None)) is not None:
            coming = {passage.digest for window in under_way for passage in window.passages}
            under_way.append(self._begin_window(model, numbers, coming))

    def _begin_window(self, model: ThreadPoolExecutor, numbers: Ints, coming: Collection[bytes]) -> _Window:
        """Read a window and give the model its texts, but for those that are known.

        Args:
            model: The threads that the model works in.
            numbers: The numbers of its passages, rising.
            coming: The digests of texts whose encodings are on their way.
        """
        pending = [_PendingPassage(*row) for row in self._db.execute(_WAITING, [json.dumps(numbers.tolist())])]
        known = self._known(pending, numbers)
        texts = {
            passage.digest: passage.text
            for passage in pending
            if passage.digest not in known and passage.digest not in coming
        }
        encoding = model.submit(self._encode(), list(texts.values())) if texts else None
        return _Window(pending, numbers, known, list(texts), encoding)

    def _known(self, pending: Sequence[_PendingPassage], numbers: Ints) -> dict[bytes, PassageEncoding]:
        """Return the encodings that texts have already, of twins or of an interrupted run, by digest.

        The text of a passage number never changes, and so neither does its encoding.
        """
        copy = self._open_copy()
        has_codes = token_codes.read(self._folder) is not None
        twins = [-1 if passage.embedded_twin is None else passage.embedded_twin for passage in pending]
        known: dict[bytes, PassageEncoding] = {}
        for sources in (np.array(twins, np.int64), numbers):
            rows = copy.find(sources)
            codes_of = catalog.read_tokens(self._db, sources[rows >= 0].tolist()) if has_codes else {}
            for position in np.flatnonzero(rows >= 0).tolist():
                codes = codes_of.get(int(sources[position]))
                if codes is not None or not has_codes:
                    encoding = PassageEncoding(np.array(copy.rows[rows[position]]), codes)
                    known.setdefault(pending[position].digest, encoding)
        return known

    def _finish_write(self) -> None:
        """Wait until the stores have the window that is on its way, and note that its passages are embedded."""
        if self._write is None:
            return
        self.partition_sizes.update(self._write.partition_sizes.result())
        with catalog.transaction(self._db):
            catalog_writer.forget_leaving(self._db)  # they were taken out before the first window was put
            catalog_writer.put_embedded(self._db, self._write.numbers.tolist(), self._write.codes)
        self._copy = _extended(self._open_copy(), self._folder, self._write.numbers)
        self._embedded += len(self._write.numbers)
        pace.write(self._folder, self._embedded / max(monotonic() - self._started, _MOMENT_S), len(self._write.numbers))
        self._write = None
        self._tell(self._embedded)

    def _open_copy(self) -> Vectors:
        """Return the copy of the vectors, opened when it is first needed: its dimension is the encoder's."""
        if self._copy is None:
            self._copy = vectors.read(self._folder, self._dimension())
        return self._copy


def _put_into_stores(
    folder: Path,
    put: PassageWriter,
    window: _Window,
    rows: Floats,
    descriptions: Sequence[dict[str, object]],
    lacking: npt.NDArray[np.bool_],
) -> Mapping[int, int]:
    """Put a window into Chroma and the copy; return how many passages the partitions then hold that it went into.

    Args:
        folder: The index folder.
        put: Puts passages into Chroma.
        window: The passages.
        rows: Their vectors (n, dimension).
        descriptions: What Chroma keeps of each beside its vector.
        lacking: Which of them the copy lacks, as a mask (n,).
    """
    sizes = put(window.numbers, [passage.id for passage in window.passages], rows, descriptions)
    if lacking.any():
        vectors.append(folder, window.numbers[lacking], rows[lacking])
    return sizes


def _extended(copy: Vectors, folder: Path, numbers: Ints) -> Vectors:
    """Return the copy with what was appended. Reading the numbers of a large file anew for each window takes longer
    than embedding the window.
    """
    all_numbers = np.concatenate([copy.numbers, numbers[copy.find(numbers) < 0]])
    return replace(vectors.read(folder, copy.rows.shape[1]), read_numbers=lambda: all_numbers)


def _sample(db: sqlite3.Connection, waiting: int) -> list[str]:
    step = -(-waiting // _SAMPLE)
    rows = db.execute("SELECT text FROM passages WHERE NOT embedded AND number % ? = 0 ORDER BY number", (step,))
    texts = [text for (text,) in rows]
    return texts or [text for (text,) in db.execute("SELECT text FROM passages WHERE NOT embedded LIMIT 1")]
