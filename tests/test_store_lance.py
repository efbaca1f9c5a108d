"""A store in LanceDB: what happens to it when writers are ended, meet each other, or find their place gone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import pytest
from buckets import make_bucket, s3_service
from lancedb.table import LanceTable
from stored import DIMENSION, FILES, corpus_of, held, talk, terms_of, vector, write
from test_disk_full import small_disk

from talksearch.indexer.errors import StoreError
from talksearch.indexer.stores.remote import lance_calls, lance_commits, lance_lease, lance_upkeep, lance_writing
from talksearch.indexer.stores.remote.address import open_engine
from talksearch.indexer.stores.remote.engine import Engine, PassageFilter, StoredTalk, StoreFiles
from talksearch.indexer.stores.remote.lance_calls import LanceLocation, errors_told

__all__ = ["small_disk"]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"lance://{tmp_path / 'store'}")


class Killed(BaseException):
    """Stands for the end of a process: whoever holds a lease does not give it back."""


def killed_at(monkeypatch: pytest.MonkeyPatch, where: str, call: int) -> pytest.MonkeyPatch:
    """Have the process end at a step of a write, the first or a later time that it comes to it."""
    module, name = {
        "before passages": (lance_writing, "passage_rows"),
        "between passages and talks": (lance_writing, "talk_rows"),
        "amid taking out": (lance_writing, "is_one_of"),
        "before indexes": (lance_writing, "make_ready"),
        "before it is known": (lance_commits, "append"),
        "after it is known": (lance_commits, "forget_old"),
    }[where]
    real, calls = getattr(module, name), 0

    def end(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise Killed
        return real(*arguments)

    monkeypatch.setattr(module, name, end)
    monkeypatch.setattr(lance_lease.Lease, "give_back", lambda _: None)
    return monkeypatch


@pytest.mark.parametrize(
    ("where", "call"),
    [
        ("before passages", 1),
        ("before passages", 2),
        ("between passages and talks", 1),
        ("between passages and talks", 2),
        ("amid taking out", 1),
        ("amid taking out", 2),
        ("before indexes", 1),
        ("before it is known", 1),
        ("after it is known", 1),
    ],
)
def test_a_writer_that_is_ended_anywhere_is_not_seen_and_the_next_one_goes_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, where: str, call: int
) -> None:
    monkeypatch.setattr(lance_writing, "_PASSAGES_AT_ONCE", 1)  # so that each talk is a batch
    write(engine, [talk("bees", "bee dance", "bee hive"), talk("tides", "tide moon")])
    before = held(engine.open())
    now = [talk("bees", "wasp dance", "wasp nest", revision="2"), talk("moths", "moth night")]
    with monkeypatch.context() as patch, pytest.raises(Killed):
        write(killed_engine(engine, patch, where, call), now, ["tides"])
    assert (held(engine.open()) == before) == (where != "after it is known")
    missing = [one for one in now if engine.revisions(7).get(one.facts.id) != one.revision]
    gone = sorted(engine.revisions(7).keys() - {"bees", "moths"})
    engine.write(7, missing, gone, corpus_of(now), terms_of(now), FILES)
    version = engine.open()
    assert held(version).keys() == {"bees", "moths"}
    assert b"bees 2" in held(version)["bees"]
    found = version.nearest(vector("wasp"), PassageFilter(), 99)
    assert sorted(one.passage_id for one in found) == ["bees@0", "bees@1", "moths@0"], "nothing is there twice"
    assert version.saying(["tide"], PassageFilter(), 9) == []


def killed_engine(engine: Engine, patch: pytest.MonkeyPatch, where: str, call: int) -> Engine:
    """Return an engine whose write ends, as a process that does not run afterwards."""
    killed_at(patch, where, call)
    patch.setattr(lance_lease, "os", type("Gone", (), {"getpid": staticmethod(lambda: 0)}))
    return engine


WRITER = """
import sys
sys.path.insert(0, {tests!r})
from stored import talk, write
from talksearch.indexer.stores.remote.address import open_engine
engine = open_engine({url!r})
print("ready", flush=True)
for number in range({first}, {end}):
    write(engine, [talk(f"theirs{{number}}", f"their word{{number}}", source=8)], source=8)
"""


def writer(engine: Engine, first: int, end: int) -> subprocess.Popen[str]:
    """Start a process that puts talks as source 8, one after the other."""
    code = WRITER.format(tests=str(Path(__file__).parent), url=engine.address, first=first, end=end)
    begun = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert begun.stdout is not None
    assert begun.stdout.readline() == "ready\n"
    return begun


def test_two_processes_write_at_once_and_one_that_is_killed_does_no_harm(engine: Engine) -> None:
    write(engine, [talk("ours", "our word")])
    with writer(engine, 0, 3) as other:
        for number in range(3):
            write(engine, [talk(f"ours{number}", f"our word{number}")])
        _, said = other.communicate(timeout=180)
        assert other.returncode == 0, said
    expected = {"ours", *(f"{whose}{number}" for whose in ("ours", "theirs") for number in range(3))}
    assert held(engine.open()).keys() == expected
    assert engine.open().corpus().talks == 2, "of each writer, what it said last"
    with writer(engine, 3, 1_000) as other:
        time.sleep(0.5)
        other.kill()
    known = set(held(engine.open()))
    assert known >= expected
    write(engine, [talk("last", "last word", source=8)], source=8)  # its lease ended with it
    assert held(engine.open()).keys() >= known | {"last"}


def test_one_process_of_a_writer_writes_at_a_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    write(engine, [talk("bees", "bee")])
    connection = lancedb.connect(str(lance_place(engine)))
    with lance_lease.lease_held(connection, engine.address, 7):
        with pytest.raises(StoreError, match="Another process writes to the store"):
            write(engine, [talk("moths", "moth")])
        write(engine, [talk("wasps", "wasp")], source=8)
    write(engine, [talk("moths", "moth")])
    assert held(engine.open()).keys() == {"bees", "moths", "wasps"}
    lease = lance_lease.Lease(7, engine.address, connection.open_table("leases"), machine="elsewhere", process=1)
    lease.renew()
    with pytest.raises(StoreError, match="process 1 on elsewhere"):
        write(engine, [talk("ants", "ant")])
    monkeypatch.setattr(lance_lease, "time", lambda: time.time() + lance_lease.LEASE_S + 1)
    write(engine, [talk("ants", "ant")])  # it aged out


def test_a_lease_that_ran_out_is_taken_up_again_where_nobody_else_has_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as that of a writer whose machine slept."""
    write(engine, [talk("bees", "bee")])
    real = lance_commits.kept
    others: list[Engine] = []

    def sleep(*arguments: Any) -> Any:
        monkeypatch.setattr(lance_commits, "kept", real)
        monkeypatch.setattr(lance_lease, "time", lambda: time.time() + lance_lease.LEASE_S + 1)
        if others:
            write(others[0], [talk("wasps", "wasp")])
        return real(*arguments)

    monkeypatch.setattr(lance_commits, "kept", sleep)
    write(engine, [talk("moths", "moth")])
    assert held(engine.open()).keys() == {"bees", "moths"}
    monkeypatch.setattr(lance_lease, "time", time.time)
    monkeypatch.setattr(lance_commits, "kept", sleep)
    others.append(open_engine(engine.address))
    with pytest.raises(StoreError, match=r"wrote to the store .* meanwhile"):
        write(engine, [talk("ants", "ant")])
    assert held(engine.open()).keys() >= {"bees", "moths", "wasps"}


def test_a_talk_that_two_writers_put_at_the_same_time_is_the_first_one_s(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(engine, [talk("bees", "bee")])
    real = lance_commits.kept

    def meet(*arguments: Any) -> Any:
        monkeypatch.setattr(lance_commits, "kept", real)
        write(open_engine(engine.address), [talk("moths", "moth", source=8)], source=8)
        return real(*arguments)

    monkeypatch.setattr(lance_commits, "kept", meet)
    with pytest.raises(StoreError, match="was put there by another index"):
        write(engine, [talk("moths", "moth"), talk("ants", "ant")])
    version = engine.open()
    assert held(version).keys() == {"bees", "moths"}
    assert [one.source for one in version.talks(["moths"])] == [8]


def age(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything that was replaced count as if that were days ago."""
    monkeypatch.setattr(lance_commits, "KEPT_S", 0.0)
    monkeypatch.setattr(lance_upkeep, "_STALE_S", 0.0)
    monkeypatch.setattr(lance_upkeep, "_MARGIN_S", 0.0)


def lance_place(engine: Engine) -> Path:
    return Path(engine.address.removeprefix("lance://"))


def test_old_states_are_cleared_away_and_who_has_one_open_is_told(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_upkeep, "_MANY_FRAGMENTS", 3)
    write(engine, [talk("bees", "bee dance")])
    version = engine.open()
    for number in range(6):
        write(engine, [talk(f"moths{number}", "moth night")])
    assert held(version).keys() == {"bees"}, "for two days"
    age(monkeypatch)
    for number in range(6, 10):
        write(engine, [talk(f"moths{number}", "moth night")])
    with pytest.raises(StoreError, match="is not there any more") as caught:
        held(version)
    assert caught.value.hint == "Ask again."
    assert len(held(engine.open())) == 11
    assert len(engine.open().saying(["night"], PassageFilter(), 99)) == 10


def test_a_store_of_one_talk_that_changes_for_ever_does_not_grow(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(monkeypatch)
    monkeypatch.setattr(lance_lease, "_KEPT_S", 0.0)
    for number in range(12):
        write(engine, [talk("bees", "bee dance", revision=str(number))])
    connection = lancedb.connect(lance_place(engine))
    versions = {name: len(connection.open_table(name).list_versions()) for name in lance_calls.table_names(connection)}
    assert versions.keys() == {"commits", "leases", "passages_7", "talks_7"}
    assert max(versions.values()) <= 8, versions
    assert held(engine.open()).keys() == {"bees"}


def test_what_a_call_put_that_was_ended_is_not_cleared_away_when_it_is_known(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(engine, [talk("bees", "bee dance")])
    both = [talk("bees", "bee dance"), talk("moths", "moth night")]
    with monkeypatch.context() as patch, pytest.raises(Killed):
        write(killed_engine(engine, patch, "before it is known", 1), both[1:])
    time.sleep(0.05)
    engine.write(7, iter(()), [], corpus_of(both), terms_of(both), FILES)  # puts nothing: it is there
    age(monkeypatch)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        write(killed_engine(engine, patch, "before it is known", 1), [talk("tides", "tide")])
    assert held(open_engine(engine.address).open()).keys() == {"bees", "moths"}, "while the next state is written"


def test_a_state_that_is_needed_stays_however_long_it_takes_to_put_parts_together(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(engine, [talk("bees", "bee dance")])
    write(engine, [talk("moths", "moth night")])
    age(monkeypatch)
    monkeypatch.setattr(lance_upkeep, "_MARGIN_S", 0.3)
    monkeypatch.setattr(lance_upkeep, "_MANY_FRAGMENTS", 0)
    real = LanceTable.optimize

    def slow(table: LanceTable, *, cleanup_older_than: timedelta) -> None:
        if table.stats()["fragment_stats"]["num_fragments"] > 1:
            time.sleep(1.0)  # before LanceDB looks at the clock
        real(table, cleanup_older_than=cleanup_older_than)

    monkeypatch.setattr(LanceTable, "optimize", slow)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        write(killed_engine(engine, patch, "before it is known", 1), [talk("tides", "tide")])
    assert held(open_engine(engine.address).open()).keys() == {"bees", "moths"}


def test_the_tables_of_a_source_that_was_replaced_are_dropped_two_days_later(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = [talk("bees", "bee dance")]
    write(engine, put)
    before = open_engine(engine.address).open()
    engine.write(8, iter([talk("bees", "bee dance", source=8)]), [], corpus_of(put), terms_of(put), FILES, [7])
    write(engine, [talk("moths", "moth night", source=9)], source=9)
    assert {"passages_7", "talks_7"} <= tables(engine)
    assert held(before).keys() == {"bees"}, "for two days"
    reader = open_engine(engine.address)
    newest = reader.open()
    age(monkeypatch)
    write(engine, [talk("tides", "tide", source=10)], source=10)
    assert tables(engine) == {
        "commits",
        "leases",
        *(f"{kind}_{n}" for kind in ("passages", "talks") for n in (8, 9, 10)),
    }
    assert held(newest).keys() == {"bees", "moths"}
    assert newest.corpus().talks == 2
    assert held(reader.open()).keys() == {"bees", "moths", "tides"}
    write(engine, [talk("bats", "bat night")])  # a backup of the old index, say
    assert held(reader.open()).keys() == {"bees", "moths", "tides", "bats"}


def test_tables_without_a_state_are_dropped_where_they_are_empty_and_nobody_writes_to_them(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source, where in ((8, "before passages"), (9, "before it is known")):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            write(killed_engine(engine, patch, where, 1), [talk("bees", "bee", source=source)], source=source)
    assert tables(engine) >= {"talks_8", "talks_9"}
    with lance_lease.lease_held(lancedb.connect(lance_place(engine)), engine.address, 8):
        write(engine, [talk("moths", "moth night")])
    assert tables(engine) >= {"talks_8", "talks_9"}
    write(engine, [talk("tides", "tide")])
    assert {"passages_9", "talks_9"} <= tables(engine), "what they hold is made known by the next call"
    assert not {"passages_8", "talks_8"} & tables(engine)


def tables(engine: Engine) -> set[str]:
    return lance_calls.table_names(lancedb.connect(lance_place(engine)))


def test_many_vectors_have_an_index_and_nearly_all_of_the_nearest_are_found(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance_upkeep, "FEWEST_FOR_ANN", 1_000)
    monkeypatch.setattr(lance_upkeep, "_PER_GRAPH", 500)
    rng = np.random.default_rng(7)
    talks = [talk(f"t{number}", *(f"w{rng.integers(999)} x" for _ in range(100))) for number in range(12)]
    for one in talks:
        one.vectors[:] += rng.standard_normal(one.vectors.shape) * 0.3
        one.vectors[:] /= np.linalg.norm(one.vectors, axis=1, keepdims=True)
    talks[0].vectors[:5] = np.nan
    write(engine, talks[:11])
    version = engine.open()
    assert {index.name for index in version.parts[0].passages.list_indices()} >= {"vector_idx", "terms_idx", "talk_idx"}
    write(engine, talks[11:])  # passages that the index has not seen
    version = engine.open()
    vectors = np.concatenate([one.vectors for one in talks])
    found_share = []
    for _ in range(10):
        query = rng.standard_normal(DIMENSION).astype(np.float32)
        query /= np.linalg.norm(query)
        least = np.sort(np.nan_to_num(vectors @ query, nan=-1.0))[-50]
        found = version.nearest(query, PassageFilter(), 50)
        found_share.append(sum(one.score >= least - 1e-5 for one in found) / 50)
    assert np.mean(found_share) >= 0.98
    assert {one.talk_id for one in version.nearest(query, PassageFilter(talk_ids=("t11",)), 5)} == {"t11"}


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_what_is_no_store_of_this_version_is_refused(engine: Engine, tmp_path: Path) -> None:
    connection = lancedb.connect(tmp_path / "store")
    connection.create_table("photographs", [{"id": 1}])
    with pytest.raises(StoreError, match="is no store of talksearch"):
        engine.open()
    shutil.rmtree(tmp_path / "store")
    write(engine, [talk("bees", "bee")])
    lancedb.connect(tmp_path / "store").open_table("commits").update(values={"format": 99})
    with pytest.raises(StoreError, match="format 99"):
        open_engine(engine.address).open()
    with pytest.raises(StoreError, match="format 99"):
        write(engine, [talk("bees", "bee")])


def test_a_store_that_is_gone_is_told(engine: Engine, tmp_path: Path) -> None:
    write(engine, [talk("bees", "bee")])
    version = engine.open()
    shutil.rmtree(tmp_path / "store")
    with pytest.raises(StoreError, match="There is no store at"):
        engine.open()
    with pytest.raises(StoreError, match="is not there any more"):
        version.talks(["bees"])


def test_who_reads_makes_no_folder_and_a_file_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store at"):
        open_engine(f"lance://{tmp_path / 'nowhere'}").open()
    assert open_engine(f"lance://{tmp_path / 'nowhere'}").revisions(7) == {}
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="names a file, where a folder belongs"):
        open_engine(f"lance://{tmp_path / 'file'}").open()
    with pytest.raises(StoreError, match="cannot be made"):
        write(open_engine(f"lance://{tmp_path / 'file' / 'store'}"), [talk("bees", "bee")])


def test_talks_of_another_dimension_are_refused(engine: Engine) -> None:
    write(engine, [talk("bees", "bee")])
    before = engine.open()
    other = replace(talk("moths", "moth"), vectors=np.zeros((1, 3), np.float32))
    with pytest.raises(StoreError, match="have 3 dimensions, and those of the store 8"):
        engine.write(7, [other], [], corpus_of([]), [], FILES)
    assert held(engine.open()) == held(before)


def test_files_that_a_reader_would_write_elsewhere_are_passed_over(engine: Engine) -> None:
    evil = StoreFiles({**FILES.by_name, "../../.bashrc": b"echo", "/etc/passwd": b"x"})
    write(engine, [talk("bees", "bee")], files=evil)
    assert engine.open().files() == FILES


def test_errors_of_who_gives_talks_are_their_own(engine: Engine) -> None:
    def broken() -> Any:
        yield talk("bees", "bee")
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        engine.write(7, broken(), [], corpus_of([]), [], FILES)


def test_a_full_disk_is_told_and_nothing_is_lost(small_disk: Path) -> None:
    engine = open_engine(f"lance://{small_disk / 'store'}")
    write(engine, [talk("bees", "bee")])
    rng = np.random.default_rng(1)
    noise = ["".join(map(chr, rng.integers(97, 122, 2_000))) for _ in range(900)]
    with pytest.raises(StoreError, match=r"The disk of the store .* is full"):
        write(engine, [talk("noise", *noise)])
    assert held(engine.open()).keys() == {"bees"}


def test_object_storage_that_does_not_answer_is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "who")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    started = time.monotonic()
    with pytest.raises(StoreError, match="cannot be reached, or takes too long"):
        open_engine("lance+s3://talks/x").open()
    assert time.monotonic() - started < 20


def test_object_storage_that_goes_away_amid_a_write_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lance_calls, "_RETRIES", {"read": 0, "write": 0})
    monkeypatch.setattr(lance_writing, "_PASSAGES_AT_ONCE", 1)
    with s3_service() as (service, stop):
        engine = open_engine("lance+s3://talks/x")
        with pytest.raises(StoreError, match=r"The bucket of the store .* is not there"):
            engine.open()
        make_bucket(service, "talks")
        write(engine, [talk("bees", "bee")])
        version = engine.open()

        def put() -> Iterator[StoredTalk]:
            yield talk("moths", "moth")
            stop()
            yield talk("ants", "ant")

        with pytest.raises(StoreError, match="cannot be reached, or takes too long"):
            engine.write(7, put(), [], corpus_of([]), [], FILES)
        with pytest.raises(StoreError, match="cannot be reached, or takes too long"):
            version.nearest(vector("bee"), PassageFilter(), 3)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("lance error: IO error: No space left on device (os error 28)"), "The disk of the store .* is full"),
        (ValueError("Version 99 no longer exists. Was it cleaned up?"), "is not there any more"),
        (OSError("Generic S3 error: 403 Forbidden: <Code>InvalidAccessKeyId</Code>"), "refuses access"),
        (OSError("Generic S3 error: <Code>SignatureDoesNotMatch</Code>"), "refuses access"),
        (OSError("the credential provider was not enabled: CredentialsNotLoaded"), "refuses access"),
        (OSError("404: <Code>NoSuchBucket</Code>"), "The bucket of the store .* is not there"),
        (OSError("Permission denied (os error 13)"), "permission denied"),
        (RuntimeError("Retryable commit conflict for version 7: concurrent transaction"), "Other processes write"),
        (RuntimeError("something\nelse\x1b[31m"), r"does not do what it is asked: something else\[31m"),
    ],
)
def test_what_lancedb_raises_becomes_a_sentence(error: Exception, told: str) -> None:
    with pytest.raises(StoreError, match=told), errors_told(LanceLocation("lance:///srv/talks", "/srv/talks")):
        raise error


def test_without_lancedb_it_is_said_what_to_install(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lancedb", None)
    with pytest.raises(StoreError, match="needs lancedb") as caught:
        lance_calls.connect(LanceLocation("lance:///x", "/x"), "write")
    assert "talksearch[distributed]" in caught.value.hint
