"""The command line: `python -m l1l2fast compare`, or `l1l2fast compare`.

Whatever is wrong with the input ends in one line on stderr and exit status 2.
"""

import argparse
import csv
import math
import os
import sys
from array import array
from importlib import metadata, resources

import numpy as np

from l1l2fast import compare

STACK_LOSS = "stack loss (Brownlee 1965)"


class InputError(Exception):
    """What the user gave cannot be used; the text says why."""


class Parser(argparse.ArgumentParser):
    """Errors in one line."""

    def error(self, message):
        """Say what is wrong and where help is."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, default=None
        Instead of ``sys.argv[1:]``.

    Returns
    -------
    int
        The exit status.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a column's name may be beyond the terminal's alphabet
    options = parser().parse_args(arguments)
    try:
        print(options.run(options), flush=True)
    except BrokenPipeError:  # the reader has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except InputError as error:
        print(f"l1l2fast: {' '.join(str(error).splitlines())}", file=sys.stderr)
        return 2
    return 0


def parser():
    """All commands and their options."""
    top = Parser(prog="l1l2fast", description="L1 and L2 norms, as the loss or as the penalty.")
    top.add_argument("--version", action="version", version=f"l1l2fast {metadata.version('l1l2fast')}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    text = "fit the L1 and the L2 loss with no, L1, L2 and L1+L2 penalty and print them side by side"
    command = commands.add_parser("compare", help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(run=run_compare)
    command.add_argument(
        "data",
        nargs="?",
        metavar="DATA.csv",
        help="numbers separated by commas below one line of column names, in UTF-8; "
        f"default: {STACK_LOSS}, 21 rows of 3 columns and a target",
    )
    command.add_argument("--target", metavar="COLUMN", help="the column to explain by all others; default: the last")
    command.add_argument(
        "--alpha",
        type=strength,
        metavar="A",
        help="strength of all penalties, in the scale of l1l2fast.solve; default: L1 at "
        f"{compare.FRACTION:g} of the alpha that leaves no column, and L2 of like strength",
    )
    command.add_argument(
        "--l1-ratio",
        type=ratio,
        default=0.5,
        metavar="R",
        help="share of the L1 penalty in L1+L2, from 0 to 1; default: %(default)s",
    )
    return top


def strength(text):
    """A penalty's strength from the command line."""
    value = number(text)
    if value is None or not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number >= 0, got {shown(text)}")
    return value


def ratio(text):
    """A share from the command line."""
    value = number(text)
    if value is None or not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {shown(text)}")
    return value


def run_compare(options):
    """The command `compare`: read, fit, lay out."""
    if options.data is None:
        source = STACK_LOSS
        # Data of the classic example of robust regression: a plant that oxidises ammonia, 21 days.
        # Brownlee, K. A. (1965), Statistical Theory and Methodology, 2nd ed., p. 454.
        with resources.files("l1l2fast").joinpath("datasets", "stackloss.csv").open(encoding="utf-8") as file:
            names, table = read(file, source)
    else:
        source = options.data
        names, table = read_path(source)
    target = pick(names, options.target, source)
    y = table[:, target].copy()
    if np.ptp(y) == 0:
        raise InputError(
            f"{source}, column {shown(names[target])}: all {len(y)} values are {y[0]:g}, nothing is left to explain"
        )
    X = np.asfortranarray(np.delete(table, target, axis=1))
    p = X.shape[1]
    title = f"{source}: {len(y)} rows, {names[target]} explained by {p} column{'s' * (p > 1)}"
    del names[target]
    try:
        fits = compare.compare(X, y, options.alpha, options.l1_ratio)
    except ValueError as error:
        if not str(error).startswith(("X must", "y must")):
            raise  # a defect here, not in the data
        # numbers so large or small that their squares are lost
        raise InputError(f"{source}: {error}") from None
    return compare.report(title, names, fits, options.alpha)


def pick(names, target, source):
    """Position of the target."""
    if target is None:
        return len(names) - 1
    if target not in names:
        some = ", ".join(shown(name) for name in names[:10]) + ", ..." * (len(names) > 10)
        raise InputError(f"{source}: no column is called {shown(target)}; there are {some}")
    return names.index(target)


def read_path(path):
    """`read` the file at a path."""
    try:
        # utf-8-sig: spreadsheets put a byte order mark before the first name
        with open(path, encoding="utf-8-sig", newline="") as file:
            return read(file, path)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not text in UTF-8 ({error.reason})") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def read(file, source):
    """Names and numbers of a CSV file with a header.

    Returns
    -------
    names : list of str
    table : ndarray of shape (n_rows, n_columns)
    """
    reader = csv.reader(file, skipinitialspace=True, strict=True)
    names, values, begin = None, array("d"), 1
    try:
        for row in reader:
            where = f"{source}, line {begin}"
            begin = reader.line_num + 1
            if not row:  # a blank line
                continue
            if names is None:
                names = header(row, where)
            else:
                values.extend(numbers(row, names, where))
    except csv.Error as error:
        raise InputError(f"{source}, line {max(reader.line_num, 1)}: {error}") from None
    if names is None:
        raise InputError(f"{source}: the file is empty; expected a line of column names, then numbers")
    if not values:
        raise InputError(f"{source}: no rows of numbers below the column names")
    return names, np.array(values).reshape(-1, len(names))


def header(row, where):
    """Column names: at least two, none empty, none twice, not numbers."""
    names = [name.strip() for name in row]
    if len(names) < 2:
        hint = next((f": is {mark!r} the separator? It must be a comma" for mark in ";\t|" if mark in row[0]), "")
        raise InputError(f"{where}: expected two columns or more separated by commas, got one{hint}")
    for position, name in enumerate(names):
        if not name:
            raise InputError(f"{where}: column {position + 1} has no name")
        if name in names[:position]:
            raise InputError(f"{where}: two columns are called {shown(name)}")
    if all(number(name) is not None for name in names):
        raise InputError(f"{where}: expected the column names, got numbers")
    return names


def numbers(row, names, where):
    """A row as floats, one for each name."""
    if len(row) != len(names):
        raise InputError(f"{where}: expected {len(names)} values, as many as there are column names, got {len(row)}")
    values = [number(text) for text in row]
    for text, value, name in zip(row, values, names, strict=True):
        if value is None or not math.isfinite(value):
            blank = text.strip().lower() in MISSING
            what = f"the value is missing ({shown(text)})" if blank else f"expected a finite number, got {shown(text)}"
            raise InputError(f"{where}, column {shown(name)}: {what}")
    return values


MISSING = {"", "na", "n/a", "nan", "null", "none", "?", ".", "-"}


def number(text):
    """The number that a text is, or None; unlike in Python, 1_000 is no number."""
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def shown(text):
    """Text in quotes on one line, shortened."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


if __name__ == "__main__":
    sys.exit(main())
