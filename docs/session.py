"""Types commands into a terminal, waits for each, and draws the terminal's end as SVG.

    python3 docs/session.py docs/session.svg

Needs tmux, and `cargo mpy` on PATH. What is drawn is what the commands said just now.
"""

import re
import subprocess
import sys
import tempfile
import time
from html import escape

COMMANDS = [
    "cargo mpy new my_dsp --template minimal && cd my_dsp",
    "cargo mpy run test.py",
    "cargo mpy run test.py --board rpi-pico",
]
COLUMNS, ROWS = 80, 30
COLORS = {31: "#f2777a", 32: "#8fd18f", 33: "#f5d76e", 34: "#7aa6da", 35: "#c397d8", 36: "#70c0c0"}
PROMPT = "$ "


def tmux(*arguments):
    command = ["tmux", "-L", "session-picture", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def record(folder):
    shell = f"env PS1='{PROMPT}' bash --norc"
    tmux("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "-c", folder, shell)
    try:
        for command in [None, *COMMANDS]:
            if command:
                tmux("send-keys", command, "Enter")
                time.sleep(1)
            # The cursor is behind a prompt again.
            while tmux("capture-pane", "-p").rstrip().split("\n")[-1].rstrip() != PROMPT.rstrip():
                time.sleep(0.2)
        return tmux("capture-pane", "-e", "-p").rstrip("\n").splitlines()
    finally:
        tmux("kill-server")


def spans(line):
    """The runs of one look in a line: text, colour, bold."""
    color, bold = None, False
    for part in re.split(r"(\x1b\[[\d;]*m)", line):
        if not part.startswith("\x1b"):
            if part:
                yield part, color, bold
            continue
        for code in (int(code or 0) for code in part[2:-1].split(";")):
            if code == 0:
                color, bold = None, False
            elif code == 1:
                bold = True
            elif code in (39, 22):
                color, bold = (None, bold) if code == 39 else (color, False)
            elif code % 10 in range(1, 7) and code // 10 in (3, 9):
                color = COLORS[30 + code % 10]


def draw(lines):
    while lines and lines[-1].strip() in ("", PROMPT.strip()):
        lines.pop()
    wide, high = 8.4, 19
    width, height = COLUMNS * wide + 32, len(lines) * high + 56
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}">',
        f'<rect width="100%" height="100%" rx="8" fill="#1e2127"/>',
        *(f'<circle cx="{22 + 20 * i}" cy="18" r="6" fill="{c}"/>' for i, c in enumerate(("#e06c75", "#e5c07b", "#98c379"))),
        '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="#d6dae0" xml:space="preserve">',
    ]
    for row, line in enumerate(lines):
        x, y = 0, 48 + row * high
        for text, color, bold in spans(line):
            look = (f' fill="{color}"' if color else "") + (' font-weight="bold"' if bold else "")
            if text.strip():
                # The width is said, so that another font changes nothing.
                lead = len(text) - len(text.lstrip())
                shown = text.strip()
                at, long = 16 + (x + lead) * wide, len(shown) * wide
                out.append(
                    f'<text x="{at:.1f}" y="{y}" textLength="{long:.1f}" lengthAdjust="spacingAndGlyphs"{look}>'
                    f"{escape(shown)}</text>"
                )
            x += len(text)
    return "\n".join([*out, "</g>", "</svg>", ""])


with tempfile.TemporaryDirectory() as folder:
    picture = draw(record(folder))
with open(sys.argv[1], "w") as file:
    file.write(picture)
