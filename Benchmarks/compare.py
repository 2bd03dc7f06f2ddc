"""Runs chatxdk (sdk.py) and `xchat bench` in turns; writes results/compare.md, compare.svg and the table of README.md."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version

import machine

HERE = pathlib.Path(__file__).resolve().parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- Benchmarks/compare writes from here -->", "<!-- to here -->"

# The name in both programs, the label, and the targets: times faster than chatxdk, times the floor.
OPERATIONS = [
    ("seal_text_32", "seal a 32 B text", None, None),
    ("seal_text_1k", "seal a 1 KB text", 12, 1.25),
    ("seal_text_10k", "seal a 10 KB text", None, None),
    ("open_text_1k", "open and verify one event", 12, 1.25),
    ("batch_open_10k", "open a batch of 10,000 events", 10, 1.25),
    ("key_change_100", "key change, 100 members", 7, 1.3),
    ("stream_seal_1k", "encrypt 1 MiB, pushes of 1 KiB", 4, 1.1),
    ("stream_seal_64k", "encrypt 1 MiB, pushes of 64 KiB", 4, 1.1),
    ("stream_seal", "encrypt 1 MiB, pushes of 1 MiB", 4, 1.1),
    ("stream_open_1k", "decrypt 1 MiB, pushes of 1 KiB", 2.5, 1.1),
    ("stream_open_64k", "decrypt 1 MiB, pushes of 64 KiB", 2.5, 1.1),
    ("stream_open", "decrypt 1 MiB, pushes of 1 MiB", 2.5, 1.1),
]

IN_README = {
    "seal a 1 KB text", "open and verify one event", "open a batch of 10,000 events", "key change, 100 members",
    "encrypt 1 MiB, pushes of 64 KiB", "decrypt 1 MiB, pushes of 64 KiB",
}


@dataclass
class Row:
    """One operation: medians over the rounds, the ratios too."""

    label: str
    theirs: float
    ours: float
    faster: float
    floor: float
    faster_target: float | None
    floor_target: float | None


def run(*command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def measure(xchat, rounds):
    def sdk():
        return run(sys.executable, str(HERE / "sdk.py"), "1")

    def bench():
        return {row["name"]: row for row in run(xchat, "bench", "--json", "--quick")}

    results = []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        # The one that begins a round ends the next.
        if number % 2:
            ours = bench()
            theirs = sdk()
        else:
            theirs = sdk()
            ours = bench()
        results.append((theirs, ours))

    def median(figure):
        return statistics.median(figure(theirs, ours) for theirs, ours in results)

    return [
        Row(
            label,
            median(lambda theirs, ours: theirs[name]),
            median(lambda theirs, ours: ours[name]["median_ns"]),
            median(lambda theirs, ours: theirs[name] / ours[name]["median_ns"]),
            median(lambda theirs, ours: ours[name]["ratio_to_floor"]),
            faster_target,
            floor_target,
        )
        for name, label, faster_target, floor_target in OPERATIONS
    ]


def time_text(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6)):
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns / 1e3:.1f} µs"


def judged(value, text, target, is_met):
    """A ratio and, if it has a target, whether it meets the target; judged as printed."""
    return text if target is None else f"{text} (target {target:g}, {'met' if is_met(value) else 'missed'})"


def markdown(rows, rounds, load):
    lines = [
        f"chatxdk {version('chatxdk')} and xchat in turns, medians of {rounds} rounds; load average before {load:.1f}.",
        f"{machine.describe()}.",
        "",
        "| operation | chatxdk | xchat | times faster | times the floor |",
        "|:--|--:|--:|--:|--:|",
    ]
    for row in rows:
        faster, floor = round(row.faster, 1), round(row.floor, 2)
        faster_text = judged(faster, f"{faster:.1f}", row.faster_target, lambda ratio: ratio >= row.faster_target)
        floor_text = judged(floor, f"{floor:.2f}", row.floor_target, lambda ratio: ratio <= row.floor_target)
        cells = (row.label, time_text(row.theirs), time_text(row.ours), faster_text, floor_text)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


STYLE = """<style>
.paper { fill: #ffffff; stroke: #d0d7de } text { fill: #24292f } .axis { stroke: #8c959f }
.bar { fill: #0969da } text.in { fill: #ffffff } .target { stroke: #d4620a; stroke-width: 3 }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117; stroke: #30363d } text { fill: #e6edf3 } .axis { stroke: #7d8590 }
.bar { fill: #1f6feb } .target { stroke: #f0883e }
}
</style>"""


def svg(rows):
    """How many times faster, a bar an operation, and a stroke where the target is; 1 is chatxdk."""
    width, left, height, top = 760, 240, 28, 40
    longest = max(max(row.faster, row.faster_target or 0) for row in rows)
    scale = (width - left - 30) / longest
    bottom = top + len(rows) * height
    title = f"Times faster than chatxdk {version('chatxdk')}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 34}" width="{width}" role="img"'
        f' font-family="system-ui, sans-serif" font-size="13"><title>{title}</title>',
        STYLE,
        # A background of its own: a viewer that ignores the colours of the dark scheme shows readable text.
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{bottom + 33}" rx="6"/>',
        f'<text x="14" y="24" font-weight="600">{title}</text>',
    ]
    for number, row in enumerate(rows):
        y = top + number * height
        parts.append(f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{row.label}</text>')
        parts.append(f'<rect class="bar" x="{left}" y="{y + 1}" width="{row.faster * scale:.1f}" height="20" rx="2"/>')
        if row.faster_target:
            x = left + row.faster_target * scale
            parts.append(f'<line class="target" x1="{x:.1f}" y1="{y - 2}" x2="{x:.1f}" y2="{y + 24}"/>')
        end = left + row.faster * scale
        if row.faster * scale > 45:
            parts.append(f'<text class="in" x="{end - 8:.1f}" y="{y + 15}" text-anchor="end">{row.faster:.1f}</text>')
        else:
            parts.append(f'<text x="{end + 8:.1f}" y="{y + 15}">{row.faster:.1f}</text>')
    one = left + scale
    parts.append(
        f'<line class="axis" x1="{one:.1f}" y1="{top - 6}" x2="{one:.1f}" y2="{bottom}" stroke-dasharray="3 3"/>'
        f'<text x="{one:.1f}" y="{bottom + 16}" text-anchor="middle" font-size="11">1</text>'
        f'<line class="target" x1="{left + 60}" y1="{bottom + 5}" x2="{left + 60}" y2="{bottom + 21}"/>'
        f'<text x="{left + 68}" y="{bottom + 17}" font-size="11">target</text>'
    )
    return "\n".join(parts + ["</svg>"]) + "\n"


def write_readme(table):
    text = README.read_text()
    if BEGIN not in text or END not in text:
        raise SystemExit("README.md has no place for the table")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    README.write_text(f"{before}{BEGIN}\n{table}{END}{after}")


def main():
    xchat, rounds = sys.argv[1], int(sys.argv[2])
    load = os.getloadavg()[0]
    rows = measure(xchat, rounds)
    table = markdown(rows, rounds, load)
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "compare.md").write_text(table)
    (results / "compare.svg").write_text(svg(rows))
    write_readme(markdown([row for row in rows if row.label in IN_README], rounds, load))
    print(table, end="")


main()
