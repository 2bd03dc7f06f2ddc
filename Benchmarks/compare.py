"""Runs chatxdk (sdk.py) and `xchat bench` in turns and writes results/compare.md and results/compare.svg."""

import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version

HERE = pathlib.Path(__file__).parent
LABELS = {
    "seal_text_32": "seal a 32 B text",
    "seal_text_1k": "seal a 1 KB text",
    "seal_text_10k": "seal a 10 KB text",
    "open_text_1k": "open and verify one event",
    "batch_open_10k": "open a batch of 10,000",
    "key_change_100": "key change, 100 members",
    "stream_seal": "encrypt 1 MiB of media",
    "stream_open": "decrypt 1 MiB of media",
}


def run(*command):
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def machine():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def time_text(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6)):
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns / 1e3:.1f} µs"


def measure(xchat, rounds):
    theirs = {name: [] for name in LABELS}
    ours = {name: [] for name in LABELS}
    ratios = {name: [] for name in LABELS}
    floors = {name: [] for name in LABELS}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        sdk = run(sys.executable, str(HERE / "sdk.py"), "1")
        bench = {row["name"]: row for row in run(xchat, "bench", "--json", "--quick")}
        for name in LABELS:
            theirs[name].append(sdk[name])
            ours[name].append(bench[name]["median_ns"])
            ratios[name].append(sdk[name] / bench[name]["median_ns"])
            floors[name].append(bench[name]["ratio_to_floor"])
    return [
        (
            label,
            statistics.median(theirs[name]),
            statistics.median(ours[name]),
            statistics.median(ratios[name]),
            statistics.median(floors[name]),
        )
        for name, label in LABELS.items()
    ]


def markdown(rows, rounds):
    lines = [
        f"chatxdk {version('chatxdk')} and xchat in turns, medians of {rounds} rounds, on {machine()}"
        f" (load average at the end {os.getloadavg()[0]:.1f}).",
        "",
        "| operation | chatxdk | xchat | times faster | times the floor |",
        "|:--|--:|--:|--:|--:|",
    ]
    for label, theirs, ours, ratio, floor in rows:
        lines.append(f"| {label} | {time_text(theirs)} | {time_text(ours)} | {ratio:.1f} | {floor:.2f} |")
    return "\n".join(lines) + "\n"


def svg(rows):
    """How many times faster, one bar an operation; the line marks chatxdk."""
    width, left, height = 720, 210, 30
    scale = (width - left - 70) / max(row[3] for row in rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{len(rows) * height + 40}"'
        ' font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="10" y="20">times faster than chatxdk {version("chatxdk")}</text>',
    ]
    for number, (label, _, _, ratio, _) in enumerate(rows):
        top = 34 + number * height
        parts.append(f'<text x="{left - 8}" y="{top + 15}" text-anchor="end">{label}</text>')
        parts.append(f'<rect x="{left}" y="{top}" width="{ratio * scale:.1f}" height="20" fill="#2f6fb0"/>')
        parts.append(f'<text x="{left + ratio * scale + 6:.1f}" y="{top + 15}">{ratio:.1f}</text>')
    one = left + scale
    parts.append(f'<line x1="{one:.1f}" y1="30" x2="{one:.1f}" y2="{34 + len(rows) * height}" stroke="#c00"/>')
    return "\n".join(parts + ["</svg>"]) + "\n"


def main():
    xchat, rounds = sys.argv[1], int(sys.argv[2])
    rows = measure(xchat, rounds)
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "compare.md").write_text(markdown(rows, rounds))
    (results / "compare.svg").write_text(svg(rows))
    print(markdown(rows, rounds), end="")


main()
