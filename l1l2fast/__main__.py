"""The command line: `l1l2fast compare` and `l1l2fast fit`, or `python -m l1l2fast ...`.

Exit status 0 is an answer, 1 something wrong with the data, 2 with the command; then one line on stderr says what.
"""

import argparse
import contextlib
import math
import os
import sys
from importlib import metadata, resources

import numpy as np

from l1l2fast import compare, fit
from l1l2fast._colours import show
from l1l2fast._files import InputError, UsageError, number, pick, read, read_path, shown

STACK_LOSS = "stack loss (Brownlee 1965)"
DATA = (
    "numbers below one line of column names, separated by commas, in UTF-8; or a .parquet file (with polars or "
    f"pandas); default: {STACK_LOSS}, 21 rows of 3 columns and a target"
)


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
        show(options.run(options))
    except BrokenPipeError:  # the reader has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except (InputError, UsageError) as error:
        print(f"l1l2fast: {' '.join(str(error).splitlines())}", file=sys.stderr)
        return 1 if isinstance(error, InputError) else 2
    return 0


def parser():
    """All commands and their options."""
    top = Parser(prog="l1l2fast", description="L1 and L2 norms, as the loss or as the penalty.")
    top.add_argument("--version", action="version", version=f"l1l2fast {metadata.version('l1l2fast')}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    add_compare(commands)
    add_fit(commands)
    return top


def add_compare(commands):
    """The options of `compare`."""
    text = "fit the L1 and the L2 loss with no, L1, L2 and L1+L2 penalty and print them side by side"
    command = add_data(commands, "compare", text, run_compare)
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


def add_fit(commands):
    """The options of `fit`."""
    text = "fit one loss with one penalty, and say how good the answer is"
    command = add_data(commands, "fit", text, run_fit)
    command.add_argument(
        "--loss", choices=fit.losses(), metavar="LOSS", help=f"{', '.join(fit.losses())}; default: squared"
    )
    command.add_argument("--quantile", type=ratio, metavar="Q", help="the quantile, between 0 and 1: the pinball loss")
    command.add_argument(
        "--penalty",
        choices=["none", "l1", "l2", "elasticnet"],
        metavar="PENALTY",
        help="none, l1, l2, elasticnet; default: none",
    )
    command.add_argument(
        "--alpha",
        type=strength,
        metavar="A",
        help=f"strength of the penalty; default: {fit.FRACTION:g} of the least that leaves no column under L1",
    )
    command.add_argument(
        "--l1-ratio", type=ratio, metavar="R", help="share of L1 in elasticnet, from 0 to 1; default: 0.5"
    )
    command.add_argument("--cv", type=folds, metavar="K", help="choose alpha by K-fold cross-validation")
    command.add_argument(
        "--raw", action="store_true", help="penalise coefficients as they are, not per standard deviation"
    )
    command.add_argument("--no-intercept", action="store_true", help="fit no intercept")
    command.add_argument("--positive", action="store_true", help="coefficients >= 0")
    command.add_argument("--plot", metavar="FILE.png", help="draw the coefficients against alpha (with matplotlib)")
    command.add_argument("--out", metavar="FILE.csv", help="write names and coefficients to a file")


def add_data(commands, name, text, run):
    """A command that reads a table."""
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(run=run)
    command.add_argument("data", nargs="?", metavar="DATA.csv", help=DATA)
    command.add_argument("--target", metavar="COLUMN", help="the column to explain by all others; default: the last")
    return command


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


def folds(text):
    """A number of folds from the command line."""
    value = number(text)
    if value is None or value != int(value) or not 2 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"expected a whole number from 2 to 1000, got {shown(text)}")
    return int(value)


def run_compare(options):
    """The command `compare`: read, fit, lay out."""
    source, title, names, X, y = question(options)
    with blamed(source):
        fits = compare.compare(X, y, options.alpha, options.l1_ratio)
    return compare.report(title, names, fits, options.alpha)


def run_fit(options):
    """The command `fit`: read, fit, lay out."""
    fit.check(options)
    source, title, names, X, y = question(options)
    with blamed(source):
        return fit.run(options, title, names, X, y)


@contextlib.contextmanager
def blamed(source):
    """What `solve` says about X and y is said about the file: numbers so large that their squares are lost, say."""
    try:
        yield
    except ValueError as error:
        if not str(error).startswith(("X must", "y must")):
            raise  # a defect here, not in the data
        raise InputError(f"{source}: {error}") from None


def question(options):
    """The table: its source, a title, the names of X's columns, X and y."""
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
    return source, title, names, X, y


if __name__ == "__main__":
    sys.exit(main())
