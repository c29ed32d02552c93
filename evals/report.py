"""The history as one HTML page: no script, no foreign host, the curves are inline SVG."""

from collections.abc import Sequence
from html import escape
from statistics import mean

from evals.history import History, Result
from evals.table import cost, share

WIDTH, HEIGHT, LEFT, TOP = 720, 180, 40, 10  # px; the last two are margins
COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f")
MAX_RUNS = 100  # on a curve: the newest
KINDS = {"score": ("Mean score", ".1%"), "tokens": ("Tokens a case", ",.0f"), "usd": ("USD a case", ",.4f")}
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
body { color: #111 }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
td, th { padding: .25rem .6rem; text-align: right } th:first-child, td:first-child { text-align: left }
tr { border-bottom: 1px solid #ddd }
.bad { background: #fee2e2 }
.low { color: #555 } svg { max-width: 100% } figure { margin: 1rem 0 }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } tr { border-color: #333 }
.bad { background: #5b1a1a } .low { color: #aaa } }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(history: History) -> str:
    """Return the page: the newest results side by side, and each configuration over time."""
    latest = sorted(history.latest().values(), key=lambda one: one.case)
    parts = (_side_by_side(latest), _curves(history), _prompts(history), _failures(latest)) if latest else ()
    body = "".join(parts) or "<p>No run yet.</p>"
    accepted = f"Accepted: run {escape(history.accepted)}." if history.accepted else "No run is accepted."
    lost = f" {history.unreadable} lines cannot be read." if history.unreadable else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>Artel evals</title>
<style>{STYLE}</style></head>
<body><h1>Evals</h1><p class="low">{len(history.runs)} runs. {accepted}{lost}</p>
{body}</body></html>
"""


def _side_by_side(latest: Sequence[Result]) -> str:
    columns = list(dict.fromkeys(one.configuration for one in latest))
    by_key = {one.key: one for one in latest}
    head = "".join(f"<th scope=col>{escape(column)}</th>" for column in columns)
    rows = [f"<tr><th scope=col>Case</th>{head}</tr>"]
    for case in sorted({one.case for one in latest}):
        cells = "".join(_cell(by_key.get((column, case))) for column in columns)
        rows.append(f"<tr><td>{escape(case)}</td>{cells}</tr>")
    of = [[one for one in latest if one.configuration == column] for column in columns]
    sums = {
        "Mean score": [f"{mean(o.score for o in many):.1%}" for many in of],
        "Tokens": [str(sum(o.tokens_in + o.tokens_out for o in many)) for many in of],
        "Input found in a cache": [share(many) for many in of],
        "USD": [cost(many) for many in of],
        "Seconds": [f"{sum(o.seconds for o in many):.1f}" for many in of],
    }
    for name, cells_ in sums.items():
        told = "".join(f"<td>{escape(cell)}</td>" for cell in cells_)
        rows.append(f"<tr><td class=low>{name}</td>{told}</tr>")
    return f"<h2>Newest results</h2><table>{''.join(rows)}</table>"


def _cell(one: Result | None) -> str:
    if one is None:
        return "<td class=low>–</td>"
    bad = " class=bad" if one.score < one.floor else ""
    told = f" · prompt {one.prompt}" if one.prompt else ""
    hint = f"{one.commit}{told} · {one.tokens_in + one.tokens_out} tokens · {one.seconds:.1f} s"
    return f'<td{bad} title="{escape(hint)}">{one.score:.0%}</td>'


def _prompts(history: History) -> str:
    """A row a version of an agent's prompts and a configuration: what came of its newest run with it."""
    by_version: dict[tuple[str, str, str], list[Result]] = {}
    for one in history.results:
        if one.prompt:
            by_version.setdefault((one.agent, one.configuration, one.prompt), []).append(one)
    rows = []
    for (agent, configuration, prompt), many in sorted(by_version.items(), key=lambda each: each[0][:2]):
        newest = [one for one in many if one.run == many[-1].run]
        cells = (
            configuration,
            prompt,
            many[0].at[:10],
            f"{mean(one.score for one in newest):.1%}",
            f"{mean(one.tokens_in + one.tokens_out for one in newest):,.0f}",
            cost(newest),
        )
        told = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f"<tr><td>{escape(agent)}</td>{told}</tr>")
    names = ("Agent", "Configuration", "Version", "Since", "Mean score", "Tokens a case", "USD")
    head = "".join(f"<th scope=col>{name}</th>" for name in names)
    return f"<h2>Prompts</h2><table><tr>{head}</tr>{''.join(rows)}</table>" if rows else ""


def _curves(history: History) -> str:
    """Figures of each configuration from run to run: mean score, tokens a case, and dollars if known."""
    runs = history.runs[-MAX_RUNS:]
    by_run: dict[tuple[str, str], list[Result]] = {}
    for one in history.results:
        by_run.setdefault((one.configuration, one.run), []).append(one)
    names = sorted({name for name, run in by_run if run in runs})
    curves = {
        kind: {name: [_mean(by_run.get((name, run), []), kind) for run in runs] for name in names}
        for kind in KINDS
    }
    times = {one.run: f"{one.at[:10]} {one.commit}" for one in history.results}
    labels = [times[run] for run in runs]
    figures = [
        _figure(title, curves[kind], labels, top=1.0 if kind == "score" else max(known) or 1, form=form)
        for kind, (title, form) in KINDS.items()
        if (known := _known(curves[kind]))
    ]
    return f"<h2>Over time</h2>{''.join(figures)}"


def _mean(results: Sequence[Result], kind: str) -> float | None:
    """What the cases of a run came to in the middle; None where nobody knows it of each."""
    values: list[float | None]
    match kind:
        case "score":
            values = [one.score for one in results]
        case "tokens":
            values = [one.tokens_in + one.tokens_out for one in results]
        case _:
            values = [one.usd for one in results]
    known = [value for value in values if value is not None]
    return mean(known) if known and len(known) == len(values) else None


def _known(curves: dict[str, list[float | None]]) -> list[float]:
    return [value for values in curves.values() for value in values if value is not None]


def _figure(
    title: str, curves: dict[str, list[float | None]], labels: Sequence[str], *, top: float, form: str
) -> str:
    """A curve a configuration; a run without it is left out of its curve."""
    step = (WIDTH - LEFT - 10) / max(len(labels) - 1, 1)
    parts = [
        f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH}" y2="{y}" stroke="#999" stroke-width=".5"/>'
        for y in (TOP, HEIGHT - TOP)
    ]
    scale = 'text-anchor="end" font-size="10" fill="currentColor"'
    parts.append(f'<text x="{LEFT - 4}" y="{TOP + 4}" {scale}>{top:{form}}</text>')
    parts.append(f'<text x="{LEFT - 4}" y="{HEIGHT - TOP}" {scale}>0</text>')
    legend = []
    for place, (name, values) in enumerate(curves.items()):
        colour = COLOURS[place % len(COLOURS)]
        points = [
            (LEFT + at * step, HEIGHT - TOP - value / top * (HEIGHT - 2 * TOP), labels[at], value)
            for at, value in enumerate(values)
            if value is not None
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y, label, value in points:
            told = f"{name}, {label}: {value:{form}}"
            dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}">'
            parts.append(f"{dot}<title>{escape(told)}</title></circle>")
        legend.append(f'<span style="color:{colour}">●</span> {escape(name)}')
    caption = f"{title}: {' &nbsp; '.join(legend)}"
    box = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title} from run to run">'
    return f"<figure><figcaption>{caption}</figcaption>{box}{''.join(parts)}</svg></figure>"


def _failures(latest: Sequence[Result]) -> str:
    rows = []
    for one in latest:
        for mark in one.marks:
            if mark.passed is not True:
                what = "not judged" if mark.passed is None else "failed"
                told = f"{escape(mark.name)}<br><span class=low>{escape(mark.said)}</span>"
                rows.append(
                    f"<tr><td>{escape(one.case)}</td><td>{escape(one.configuration)}</td>"
                    f"<td>{what}</td><td>{told}</td></tr>"
                )
    if not rows:
        return "<p>Every check holds.</p>"
    head = "<tr><th>Case</th><th>Configuration</th><th></th><th>Check</th></tr>"
    return f"<h2>Checks that do not hold</h2><table>{head}{''.join(rows)}</table>"
