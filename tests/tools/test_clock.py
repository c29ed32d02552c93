"""The clock says what time it is somewhere, and moves it as a calendar does."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from artel.tools.clock import TOOL, tell
from artel.tools.errors import ToolRefused
from artel.tools.policy import DEFAULT, judge


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("zone", "add", "said"),
    [
        ("UTC", "", "Saturday 2026-03-28 11:30:00+00:00 (UTC), ISO week 2026-W13"),
        ("Asia/Kathmandu", "", "Saturday 2026-03-28 17:15:00+05:45 (Asia/Kathmandu), ISO week 2026-W13"),
        ("Europe/Berlin", "P1D", "Sunday 2026-03-29 12:30:00+02:00 (Europe/Berlin), ISO week 2026-W13"),
        ("Europe/Berlin", "PT24H", "Sunday 2026-03-29 13:30:00+02:00 (Europe/Berlin), ISO week 2026-W13"),
        ("UTC", "-P1M", "Saturday 2026-02-28 11:30:00+00:00 (UTC), ISO week 2026-W09"),
        ("UTC", "P2Y11M3D", "Saturday 2029-03-03 11:30:00+00:00 (UTC), ISO week 2029-W09"),
        ("UTC", "-P13W", "Saturday 2025-12-27 11:30:00+00:00 (UTC), ISO week 2025-W52"),
        ("UTC", "-PT90M30S", "Saturday 2026-03-28 09:59:30+00:00 (UTC), ISO week 2026-W13"),
    ],
)
def test_the_time_somewhere_and_some_while_away(zone: str, add: str, said: str) -> None:
    assert tell(zone, add, now=lambda: at(2026, 3, 28, 11, 30)) == said


def test_a_month_that_is_shorter_ends_earlier() -> None:
    assert tell("UTC", "P1M", now=lambda: at(2027, 12, 31)).startswith("Monday 2028-01-31")
    assert tell("UTC", "P1M", now=lambda: at(2028, 1, 31)).startswith("Tuesday 2028-02-29")


def test_the_servers_own_zone_is_named() -> None:
    assert "the server's zone" in tell()
    assert tell(add="P0D", now=lambda: at(2026, 7, 1)) == tell(now=lambda: at(2026, 7, 1))


@pytest.mark.parametrize(
    "zone", ["Berlin/Europe", "../../etc/passwd", "\0", "x" * 99, "/etc/localtime", "Europe"]
)
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(ToolRefused, match="zone must be a name of the IANA database"):
        tell(zone)


@pytest.mark.parametrize("add", ["1d", "P", "PT", "P1DT", "P-1D", "tomorrow", "P1.5D", "\u0661D", "P\u0661D"])
def test_a_duration_that_is_none_is_refused(add: str) -> None:
    with pytest.raises(ToolRefused, match="add must be an ISO 8601 duration"):
        tell("UTC", add)


@pytest.mark.parametrize("add", ["P99999Y", "-P99999Y", "P999999M", "P9999999D", "-P2026Y", "PT99999999H"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", ""])
def test_a_time_beyond_the_calendar_is_refused(zone: str, add: str) -> None:
    with pytest.raises(ToolRefused, match="a year from 1 to 9999"):
        tell(zone, add)


def test_nobody_is_asked_about_it(tmp_path: Path) -> None:
    (call,) = TOOL.calls({"zone": "UTC"}, tmp_path)
    assert judge(DEFAULT, "coder", call).effect == "allow"
