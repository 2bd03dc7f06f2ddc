"""Benchmarks/throughput.py ROUNDS: throughput over the size of a message, and over cores; writes docs/images/throughput.svg.

Each size is measured by chatxdk (sdk.py) and by the program Operations in turns, on one core; the figures are medians over
the rounds. Batches are opened on one core, two, and so on up to all of this machine. OPERATIONS names a build that is there
already. README.md gets a line that shows the image, after that of compare.svg.
"""

import datetime
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
from importlib.metadata import version

import machine
import operations

HERE = pathlib.Path(__file__).resolve().parent
README = HERE.parent / "README.md"
IMAGE = "docs/images/throughput.svg"
AFTER = "![Times faster than chatxdk, by operation](Benchmarks/results/compare.svg)\n"
LINE = f"![Throughput over the size of a message, and over cores]({IMAGE})\n"

SIZES = [32, 128, 512, 2048, 8192, 32768]
BATCH = 20_000
# For one figure: of the SDK, and about as long of Operations.
SECONDS = 0.3


def on_cores(count, command):
    """Runs a program that may use only some of the cores, where the system can limit it; returns its output."""
    limit = None
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))[:count]
        limit = lambda: os.sched_setaffinity(0, cores)  # noqa: E731
    return subprocess.run(command, check=True, capture_output=True, text=True, preexec_fn=limit).stdout


def nanoseconds(program, name, count, cores):
    """The time that goes by for one of so many operations."""
    return int(on_cores(cores, [program, name, str(count), str(count)]).split()[0]) / count


def sizes(program):
    """One round on one core: nanoseconds an operation by program, operation and size."""
    text = on_cores(1, [sys.executable, str(HERE / "sdk.py"), "sizes", str(SECONDS), *map(str, SIZES)])
    theirs = json.loads(text)
    ours = {"seal": {}, "open": {}}
    for operation in ours:
        for size in SIZES:
            few = nanoseconds(program, f"{operation}:{size}", 100, 1)
            count = max(100, int(SECONDS * 1e9 / few))
            ours[operation][str(size)] = nanoseconds(program, f"{operation}:{size}", count, 1)
    return {"chatxdk": theirs, "xchat": ours}


def measure(program, rounds):
    """Bytes a second by (program, operation) and size, and events a second by cores."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    counts = sorted({count for count in (1, 2, 4, 8, 16, 32, 64) if count < available} | {available})
    by_size, by_cores = [], []
    for number in range(rounds):
        print(f"throughput: round {number + 1} of {rounds}", file=sys.stderr)
        by_size.append(sizes(program))
        by_cores.append({count: nanoseconds(program, "batch", BATCH, count) for count in counts})
    rates = {
        (name, operation): [
            (size, size * 1e9 / statistics.median(result[name][operation][str(size)] for result in by_size))
            for size in SIZES
        ]
        for name in ("xchat", "chatxdk")
        for operation in ("seal", "open")
    }
    events = [(count, 1e9 / statistics.median(result[count] for result in by_cores)) for count in counts]
    return rates, events


STYLE = """<style>
.paper { fill: #ffffff; stroke: #d0d7de } text { fill: #24292f } .grid { stroke: #d0d7de } .small { font-size: 11px }
.line { fill: none; stroke-width: 2 } .xchat { stroke: #0969da } .chatxdk { stroke: #d4620a } .ideal { stroke: #8c959f }
.open { stroke-dasharray: 6 3 } .ideal { stroke-dasharray: 2 4 } circle.xchat { fill: #0969da } circle.chatxdk { fill: #d4620a }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117; stroke: #30363d } text { fill: #e6edf3 } .grid { stroke: #30363d }
.xchat { stroke: #1f6feb } .chatxdk { stroke: #f0883e } circle.xchat { fill: #1f6feb } circle.chatxdk { fill: #f0883e }
}
</style>"""


def bytes_text(count):
    return f"{count / 1024:g} KiB" if count >= 1024 else f"{count:g} B"


def rate_text(rate):
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if rate >= size:
            return f"{rate / size:g} {unit}/s"
    return f"{rate:g} B/s"


class Panel:
    """A part of the image with two axes; each axis maps a value to a coordinate."""

    def __init__(self, left, title):
        self.left, self.right, self.top, self.bottom = left, left + 290, 62, 272
        self.parts = [f'<text x="{left - 8}" y="{self.top - 18}" font-weight="600">{title}</text>']

    def axes(self, x, y, x_ticks, y_ticks, x_title):
        self.x, self.y = x, y
        for value, text in y_ticks:
            at = y(value)
            self.parts.append(f'<line class="grid" x1="{self.left}" y1="{at:.1f}" x2="{self.right}" y2="{at:.1f}"/>')
            self.parts.append(f'<text class="small" x="{self.left - 6}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
        for value, text in x_ticks:
            self.parts.append(
                f'<text class="small" x="{x(value):.1f}" y="{self.bottom + 18}" text-anchor="middle">{text}</text>'
            )
        middle = (self.left + self.right) / 2
        self.parts.append(f'<text class="small" x="{middle}" y="{self.bottom + 36}" text-anchor="middle">{x_title}</text>')

    def line(self, points, kind, dots=True):
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        self.parts.append(f'<polyline class="line {kind}" points="{path}"/>')
        if dots:
            name = kind.split()[0]
            self.parts += [
                f'<circle class="{name}" cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="2.5"/>' for x, y in points
            ]


def scale(low, high, start, end, logarithmic):
    position = (lambda value: math.log2(value)) if logarithmic else (lambda value: value)
    span = (position(high) - position(low)) or 1
    return lambda value: start + (position(value) - position(low)) / span * (end - start)


def sizes_panel(rates):
    panel = Panel(84, "Throughput by size of the text, one core")
    figures = [rate for points in rates.values() for _, rate in points]
    low, high = 2 ** math.floor(math.log2(min(figures))), 2 ** math.ceil(math.log2(max(figures)))
    steps = [low * 4**step for step in range(20) if low * 4**step <= high]
    panel.axes(
        scale(SIZES[0], SIZES[-1], panel.left, panel.right, True),
        scale(low, high, panel.bottom, panel.top, True),
        [(size, bytes_text(size)) for size in SIZES],
        [(rate, rate_text(rate)) for rate in steps],
        "solid: seal and sign; dashed: open and verify",
    )
    for (name, operation), points in rates.items():
        panel.line(points, f"{name} {operation}")
    return panel


def cores_panel(events):
    panel = Panel(474, "Events of a batch opened in a second")
    one, most = events[0][1], events[-1][0]
    high = max(one * most, *(rate for _, rate in events))
    unit = 10 ** math.floor(math.log10(high))
    step = next(unit * part for part in (0.1, 0.2, 0.5, 1, 2) if high / (unit * part) <= 6)
    ticks = [step * number for number in range(int(high / step) + 1)]
    panel.axes(
        scale(0, most, panel.left, panel.right, False),
        scale(0, high, panel.bottom, panel.top, False),
        [(count, str(count)) for count, _ in events],
        [(rate, f"{rate:,.0f}") for rate in ticks],
        "cores; dotted: as many times the rate of one core",
    )
    panel.line([(0, 0), (most, one * most)], "ideal", dots=False)
    panel.line(events, "xchat")
    return panel


def svg(rates, events, note):
    """The image: two panels, a key, and what it was measured on."""
    width, height = 790, 348
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img"'
        ' font-family="system-ui, sans-serif" font-size="13">'
        "<title>Throughput over the size of a message, and over cores</title>",
        STYLE,
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>',
    ]
    for number, name in enumerate(("xchat", f"chatxdk {version('chatxdk')}")):
        x = 14 + number * 90
        kind = name.split()[0]
        parts.append(f'<line class="line {kind}" x1="{x}" y1="18" x2="{x + 22}" y2="18"/>')
        parts.append(f'<text x="{x + 28}" y="22">{name}</text>')
    for panel in (sizes_panel(rates), cores_panel(events)):
        parts += panel.parts
    parts.append(f'<text class="small" x="14" y="{height - 12}">{note}</text>')
    return "\n".join(parts + ["</svg>"]) + "\n"


def show_in_readme():
    text = README.read_text()
    if LINE in text:
        return
    if AFTER not in text:
        raise SystemExit("README.md has no place for the image")
    README.write_text(text.replace(AFTER, AFTER + LINE))


def main():
    rounds = int(sys.argv[1])
    load = os.getloadavg()[0]
    rates, events = measure(operations.build(), rounds)
    day = datetime.date.today().isoformat()
    note = f"{machine.processor()}, {os.cpu_count()} cores; {day}, load average before {load:.1f}; medians of {rounds} rounds"
    path = HERE.parent / IMAGE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(svg(rates, events, note))
    show_in_readme()
    for (name, operation), points in rates.items():
        print(f"{name} {operation}: " + ", ".join(f"{bytes_text(size)} {rate / 2**20:.2f} MiB/s" for size, rate in points))
    print("batch: " + ", ".join(f"{count} cores {rate:,.0f}/s" for count, rate in events))


if __name__ == "__main__":
    main()
