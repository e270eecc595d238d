"""Tables from files: CSV by a reader of our own, which says where what is wrong; Parquet by polars or pandas."""

import csv
import importlib
import math
from array import array

import numpy as np

from l1l2fast import _frames


class InputError(Exception):
    """The data cannot be used; the text says why. Exit status 1."""


class UsageError(Exception):
    """The command cannot be carried out, whatever the data; the text says why. Exit status 2."""


def pick(names, target, source):
    """Position of the target."""
    if target is None:
        return len(names) - 1
    if target not in names:
        some = ", ".join(shown(name) for name in names[:10]) + ", ..." * (len(names) > 10)
        raise InputError(f"{source}: no column is called {shown(target)}; there are {some}")
    return names.index(target)


def read_path(path):
    """Names and numbers of the file at a path."""
    if path.lower().endswith((".parquet", ".pq")):
        return read_parquet(path)
    try:
        # utf-8-sig: spreadsheets put a byte order mark before the first name
        with open(path, encoding="utf-8-sig", newline="") as file:
            return read(file, path)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not text in UTF-8 ({error.reason})") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None


def read_parquet(path):
    """As `read`, by polars or pandas, whichever is there."""
    load = parquet_reader()
    try:
        frame = load(path)
    except Exception as error:  # each engine has errors of its own
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    names = header([str(name) for name in frame.columns], path)
    try:
        table = _frames.numbers(frame, "the file")
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None
    if len(table) == 0:
        raise InputError(f"{path}: no rows of numbers")
    return names, np.array(table, dtype=np.float64)


def parquet_reader():
    """A function that reads a Parquet file as a data frame."""
    for package in ("polars", "pandas"):
        try:
            return importlib.import_module(package).read_parquet
        except ImportError:
            continue
    raise UsageError("Parquet files need polars, or pandas and pyarrow: pip install polars")


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
