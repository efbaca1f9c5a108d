from __future__ import annotations

import sys

import pytest

from talksearch.indexer.errors import StoreError
from talksearch.indexer.stores.remote.address import open_engine, parse_address, require_installed


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("lance:///srv/talks", "/srv/talks"),
        ("lance:///srv/talks/", "/srv/talks"),
        ("lance:///srv/my talks/50%", "/srv/my talks/50%"),
        ("lance:///srv/my%20talks%3F", "/srv/my talks?"),
        ("lance:///srv/a/../talks", "/srv/talks"),
        ("lance+s3://talks", "s3://talks"),
        ("lance+s3://my-talks.example/by/year/", "s3://my-talks.example/by/year"),
        ("chroma://localhost", "http://localhost:8000/default_tenant/default_database"),
        ("chroma://[::1]:9000/", "http://[::1]:9000/default_tenant/default_database"),
        ("https://chroma.example?tenant=us&database=talks", "https://chroma.example:443/us/talks"),
    ],
)
def test_an_address_means_a_place(url: str, location: str) -> None:
    assert parse_address(url).location == location


def test_a_drive_of_windows_has_no_slash_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    assert parse_address("lance:///C:/talks").location == "C:/talks"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "names no engine"),
        ("/srv/talks", "names no engine"),
        ("s3://talks", "names no engine"),
        ("redis://host", "does not know"),
        ("lance://srv/talks", "names a machine where a folder belongs"),
        ("lance:///", "names no folder"),
        ("lance:talks", "names no folder"),
        ("lance:talks?x=1", "has a \\? or a #"),
        ("lance:///talks?region=eu", "has a \\? or a #"),
        ("lance+s3:///prefix", "names no bucket"),
        ("lance+s3://UPPER_case/x", "names the bucket 'UPPER_case', which none can be called"),
        ("lance+s3://ab/x", "names the bucket 'ab', which none can be called"),
        ("lance+s3://talks/../others", "has a . or .. in its prefix"),
        ("lance+s3://talks?region=eu", "AWS_REGION"),
        ("lance:///a\x1b[31m", "nobody sees"),
        ("lance+s3://[talks", "is no address"),
        ("lance:///a%00b", "names no folder"),
        ("chroma://", "names no machine"),
        ("chroma://host:99999", "a port that is none"),
        ("chroma://host/api/v2", "has a path"),
        ("https://host?region=eu", "has the parameter 'region'"),
        ("https://host?tenant=../x", "has a tenant that is none"),
    ],
)
def test_a_wrong_address_is_told_in_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence) as caught:
        parse_address(url)
    assert "\x1b" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "lance+s3://AKIA123:hush@talks/x",
        "lance+s3://talks/x?token=hush",
        "lance+s3://talks/x?aws_secret_access_key=hush",
        "lance:///talks?api_key=hush",
        "https://host?password=hush",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(StoreError, match="password or a token") as caught:
        parse_address(url)
    assert "hush" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("/srv/talks", "Write lance:///srv/talks"),
        ("http://chroma.example.org:8000", "write chroma://chroma.example.org:8000"),
        ("s3://talks/2024", "Write lance+s3://talks/2024"),
        ("lance+s3://ab/x", "3 to 63 small letters"),
    ],
)
def test_what_was_meant_is_named(url: str, advice: str) -> None:
    with pytest.raises(StoreError) as caught:
        parse_address(url)
    assert advice in caught.value.hint


@pytest.mark.parametrize("missing", ["lancedb", "pyarrow"])
@pytest.mark.parametrize("url", ["lance:///srv/talks", "lance+s3://talks/2024"])
def test_a_package_that_is_missing_is_named(url: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(StoreError, match=f"needs {missing}, which is not installed") as caught:
        open_engine(url)
    assert "talksearch[distributed]" in caught.value.hint
    require_installed(parse_address("chroma://localhost"))
