"""What the documentation takes from the code: a page per loss and penalty, the table of cells, the command line."""

import contextlib
import inspect
import io
import re
from pathlib import Path

import numpy as np
import table

import l1l2fast
from l1l2fast import losses, penalties
from l1l2fast.__main__ import main

PICTURE = """
.. plot::

   import numpy as np
   from matplotlib import pyplot as plt
   from l1l2fast.{module} import {name}

   z = np.linspace(-3, 3, 601)
   figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
   for thing, style in {pairs}:
       {value}
       axes[0].plot(z, value, style, label=repr(thing))
       axes[1].plot(z, slope, style, label=repr(thing))
   axes[0].set(xlabel="{label}", title="{title}")
   axes[1].set(xlabel="{label}", title="{slope_title}")
   axes[0].legend()
"""
LOSS_VALUES = "value, slope = [thing(r, 0.0) for r in z], [-thing.derivatives(r, 0.0)[0] if r else np.nan for r in z]"
PENALTY_VALUES = "value, slope = [thing(b) for b in z], [thing.apply_prox(b) for b in z]"


def write(folder):
    """All generated pages, into docs/generated."""
    place = Path(folder) / "generated"
    place.mkdir(exist_ok=True)
    texts = {"api.rst": api(), "cells.inc": table.cells(), "options.inc": table.options(), "help.inc": command_lines()}
    for module in (losses, penalties):
        for name in module.__all__[1:]:
            texts[f"{module.__name__.rpartition('.')[2]}_{name}.rst"] = page(module, name)
    for name, text in texts.items():
        path = place / name
        if not path.exists() or path.read_text("utf-8") != text:  # Sphinx rebuilds what is newer
            path.write_text(text, encoding="utf-8")


def api():
    """All public names, by what they are."""
    own_pages = {*losses.__all__, *penalties.__all__}
    names = [name for name in l1l2fast.__all__ if name not in own_pages]
    things = {name: getattr(l1l2fast, name) for name in names}
    estimators = [f"sklearn.{name}" for name in l1l2fast.sklearn.__all__]
    classes = [name for name in estimators if hasattr(getattr(l1l2fast.sklearn, name.partition(".")[2]), "fit")]
    groups = {
        "Functions": [name for name, thing in things.items() if not inspect.isclass(thing)],
        "Answers": [name for name, thing in things.items() if inspect.isclass(thing)],
        "Estimators": classes,
        "With scikit-learn's arguments": [name for name in estimators if name not in classes],
        "Pictures": [f"plots.{name}" for name in l1l2fast.plots.__all__],
    }
    lines = ["API", "===", "", ".. currentmodule:: l1l2fast", ""]
    lines += ["Losses and penalties have pages of their own: :doc:`/losses`, :doc:`/penalties`.", ""]
    for title, group in groups.items():
        lines += [title, "-" * len(title), "", ".. autosummary::", "   :toctree: api", "   :nosignatures:"]
        lines += ["   :template: estimator.rst"] * (title == "Estimators")
        lines += ["", *(f"   {name}" for name in group), ""]
    return "\n".join(lines)


def page(module, name):
    """The page of one loss or penalty: formula, arguments, picture, source."""
    leaf = getattr(module, name)
    kind = module.__name__.rpartition(".")[2]
    single = "loss" if kind == "losses" else "penalty"
    # embedsignature puts the call on the first line if there are arguments
    text = inspect.getdoc(leaf).splitlines()
    summary, *rest = [line.strip() for line in text if line.strip() and not line.startswith(f"{name}(")]
    formula, _, says = summary.partition(": ")
    lines = [name, "=" * len(name), "", f"The {single} ``{formula}``: {escape(says)}", "", *rest, ""]
    lines += [f".. class:: l1l2fast.{signature(leaf)}", ""]
    for argument, value in leaf().parameters().items():
        low, high = leaf.limits.get(argument, (0.0, np.inf))
        lines.append(f"   - ``{argument}``: float from {low:g} to {high:g}, default {value:g}")
    lines += [picture(kind, name, leaf), f"From the source, ``src/_{kind}.pyx``:", ""]
    lines += [f".. literalinclude:: ../../src/_{kind}.pyx", "   :language: cython"]
    lines += [f"   :lines: {source_lines(kind, name)}", ""]
    return "\n".join(lines)


def signature(leaf):
    """The call with all defaults."""
    arguments = ", ".join(f"{argument}={value!r}" for argument, value in leaf().parameters().items())
    return f"{leaf.__name__}({arguments})"


def picture(kind, name, leaf):
    """Value and slope of a loss, value and prox of a penalty, for two settings if there are any."""
    arguments = list(leaf().parameters())
    low, high = leaf.limits.get(arguments[0], (0.0, np.inf)) if arguments else (0, 0)
    settings = [f'({name}(), "-")']
    if arguments:
        other = 0.8 if high <= 1 else 0.5
        settings.append(f'({name}({arguments[0]}={other}), "--")')
    if kind == "losses":
        words = dict(label="f", title="loss l(y, f) of y = 1", slope_title="how hard the sample pulls f up")
    else:
        words = dict(label="b", title="penalty pen(b)", slope_title="prox: what becomes of a coefficient")
    value = LOSS_VALUES if kind == "losses" else PENALTY_VALUES
    return PICTURE.format(module=kind, name=name, pairs=f"[{', '.join(settings)}]", value=value, **words)


def source_lines(kind, name):
    """First and last line of a class in its source file."""
    source = (Path(__file__).parents[1] / "src" / f"_{kind}.pyx").read_text("utf-8").splitlines()
    first = next(i for i, line in enumerate(source) if re.match(rf"cdef class {name}\(", line))
    last = next((i for i in range(first + 1, len(source)) if re.match(r"\S", source[i])), len(source))
    while not source[last - 1].strip():
        last -= 1
    return f"{first + 1}-{last}"


def command_lines():
    """What --help prints, for each command."""
    lines = []
    for command in ("compare", "fit"):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            main([command, "--help"])
        lines += [command, "-" * len(command), "", ".. code-block:: text", ""]
        lines += [f"   {line}".rstrip() for line in out.getvalue().splitlines()] + [""]
    return "\n".join(lines)


def clean(app, what, name, thing, options, lines):
    """Docstrings are written to be read in a terminal: formulas become literal blocks, bars are no substitutions."""
    done, section, previous, literal = [], None, "", False
    for number, line in enumerate(lines):
        rule = lines[number + 1] if number + 1 < len(lines) else ""
        if line.strip() and re.fullmatch(r"-{3,}", rule.strip()):
            section = line.strip()
        indented = line.startswith("    ")
        if section in (None, "Notes") and indented and not previous.strip() and not literal:
            done += ["::", ""]
            literal = True
        elif line.strip() and not indented:
            literal = False
        done.append(line if literal or line.lstrip().startswith(">>>") or section == "Examples" else escape(line))
        previous = line
    lines[:] = done


def escape(line):
    """A bar opens a substitution and a trailing underscore a link, unless quoted."""
    parts = re.split(r"(``.*?``|`.*?`)", line)
    parts[::2] = [re.sub(r"(?<=\w)_(?=\W|$)", r"\\_", part.replace("|", r"\|")) for part in parts[::2]]
    return "".join(parts)
