"""Reports in colours, on a terminal and if rich is installed; the characters are the same everywhere."""

import importlib.util
import sys

# What is found in a report, and its style: titles, heads of blocks, exact zeros, gaps above the tolerance.
STYLES = (
    (r"\A.*$", "bold"),
    (r"^(L1|L2) loss, .*$", "bold cyan"),
    (r"^ {26}\s*coefficient.*$", "bold cyan"),
    (r"(?<= )0(?=( |$))", "dim"),
    (r"(\d\*|above the tolerance.*$|^\* the gap.*$)", "bold red"),
    (r"^(As the loss|As the penalty|The gap)", "bold"),
)


def show(text, stream=None):
    """Print a report."""
    stream = sys.stdout if stream is None else stream
    if stream.isatty() and importlib.util.find_spec("rich"):
        from rich.console import Console
        from rich.text import Text

        painted = Text(text)
        for pattern, style in STYLES:
            painted.highlight_regex(f"(?m){pattern}", style)
        Console(file=stream).print(painted, soft_wrap=True)
    else:
        print(text, file=stream, flush=True)
