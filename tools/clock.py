"""The clock: what time it is somewhere, and what it will be or was some while away."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from artel.tools.errors import ToolRefused
from artel.tools.tool import Arguments, Outcome, Risk, Tool
from artel.tools.workspace.paths import printable

# Of ISO 8601; a sign before it turns it round
_DURATION = re.compile(
    r"([+-]?)P(?=.)(?:(\d{1,5})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,7})D)?"
    r"(?:T(?=.)(?:(\d{1,8})H)?(?:(\d{1,9})M)?(?:(\d{1,10})S)?)?",
    re.ASCII,
)


class Clock(Arguments):
    """Arguments of clock."""

    zone: str = Field(default="", max_length=100, description="IANA; empty: the server's.")
    add: str = Field(default="", max_length=100, description="As P1M, -P3DT2H.")


def tell(zone: str = "", add: str = "", *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> str:
    """Return the time in a zone, moved by a duration.

    Years, months, weeks and days move the date on the calendar, and the last day of a month stands in for one
    that it has not; hours, minutes and seconds are counted as they pass, also over a change of the clocks.

    Raises:
        ToolRefused: there is no such zone, or it is no duration, or leads out of the years 1 to 9999.
    """
    here = now().astimezone(_zone(zone) if zone else None)
    try:
        moved = _moved(here, add) if add else here
    except (OverflowError, ValueError, OSError):
        raise ToolRefused(f"add must lead to a year from 1 to 9999, got {printable(add)}") from None
    year, week, _ = moved.isocalendar()
    name = zone or f"{moved.tzname()}, the server's zone"
    return f"{moved:%A} {moved.isoformat(sep=' ', timespec='seconds')} ({name}), ISO week {year}-W{week:02}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong = printable(name)
        raise ToolRefused(
            f"zone must be a name of the IANA database such as Asia/Tokyo, got {wrong}"
        ) from None


def _moved(when: datetime, add: str) -> datetime:
    found = _DURATION.fullmatch(add)
    if found is None:
        raise ToolRefused(f"add must be an ISO 8601 duration such as P3DT2H or -PT90M, got {printable(add)}")
    sign = -1 if found[1] == "-" else 1
    years, months, weeks, days, hours, minutes, seconds = (
        sign * int(part or 0) for part in found.groups()[1:]
    )
    month = when.year * 12 + when.month - 1 + years * 12 + months
    fixed = when if isinstance(when.tzinfo, ZoneInfo) else when.replace(tzinfo=None)  # the server's own zone
    date = _in_month(fixed, month) + timedelta(weeks=weeks, days=days)
    passed = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return (date.astimezone(UTC) + passed).astimezone(_kept(when))


def _in_month(when: datetime, month: int) -> datetime:
    first = when.replace(year=month // 12, month=month % 12 + 1, day=1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(when.day, last.day))


def _kept(when: datetime) -> ZoneInfo | None:
    """Return the zone to show a moved time in; None: the server's, whose offset may be another by then."""
    return when.tzinfo if isinstance(when.tzinfo, ZoneInfo) else None


def _look(_root: Path, args: Clock) -> Outcome:
    return Outcome(tell(args.zone, args.add))


TOOL = Tool(
    name="clock",
    risk=Risk.READ,
    action="time.read",
    arguments=Clock,
    sums_up=lambda args: f"Look at the clock {args.zone} {args.add}".strip(),
    limits={},
    look=_look,
)
