"""Data frames of pandas or polars: names and numbers out of them, and a labelled table back.

Neither package is imported: a frame is what has `columns` and `dtypes`.
"""

import math
from typing import NamedTuple

import numpy as np

DUMMIES = "drop it, or make columns of 0 and 1 of it (pandas.get_dummies, polars' to_dummies)"
# So many rows of a table are shown.
SHOWN = 60


class Row(NamedTuple):
    """One line of a `Table`."""

    name: str
    coef: float


class Table(tuple[Row, ...]):
    """Names and coefficients, in lines: pairs, which ``dict(table)`` and ``pandas.DataFrame(table)`` understand."""

    __slots__ = ()

    def __repr__(self) -> str:
        width = max([len(row.name) for row in self[:SHOWN]], default=0)
        lines = [f"{row.name:{width}}  {row.coef:>13.6g}" for row in self[:SHOWN]]
        if len(self) > SHOWN:
            lines.append(f"... and {len(self) - SHOWN} more")
        return "\n".join(lines)


def is_frame(X):
    """Whether X has named columns, each of its own type."""
    return hasattr(X, "columns") and hasattr(X, "dtypes")


def names(X):
    """The names of a frame's columns, if all of them are strings; None otherwise."""
    if not is_frame(X):
        return None
    found = tuple(X.columns)
    return found if all(isinstance(name, str) for name in found) else None


def table(feature_names, coef, intercept):
    """The coefficients by name, x1, x2, ... if there is none; the intercept comes first, unless it is None."""
    given = feature_names or [f"x{j + 1}" for j in range(len(coef))]
    rows = [] if intercept is None else [Row("(intercept)", float(intercept))]
    return Table(rows + [Row(name, float(b)) for name, b in zip(given, coef, strict=True)])


def numbers(X, name="X"):
    """The frame as an array of real numbers; a column that holds something else is refused by name."""
    for column, kind in zip(X.columns, X.dtypes, strict=True):
        if not numeric(kind):
            values = X[column]
            if getattr(values, "ndim", 1) == 1:  # pandas: two columns of one name come as a frame
                refuse(name, column, kind, list(values))
            raise TypeError(f"{name} must hold numbers: column {column!r} has dtype {kind}")
    try:
        array = X.to_numpy() if hasattr(X, "to_numpy") else np.asarray(X)
        if array.dtype.kind not in "fiub":  # pandas' own types of numbers, with or without missing ones
            array = X.to_numpy(dtype=np.float64, na_value=np.nan)
    except TypeError:
        array = np.asarray(X, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = array.dtype.kind == "f" and not math.isfinite(array.sum())
    if suspicious:
        check_finite(name, X.columns, array)
    return array


def numeric(kind):
    """Whether a column's type is one of real numbers or booleans."""
    if hasattr(kind, "is_numeric"):  # polars
        return kind.is_numeric() or str(kind) == "Boolean"
    return getattr(kind, "kind", "O") in "fiub"


def check_finite(name, columns, array):
    """Raise if a value is missing or infinite, and say where."""
    for j, column in enumerate(columns):
        bad = np.flatnonzero(~np.isfinite(array[:, j]))
        if len(bad):
            raise ValueError(
                f"{name} must be finite: column {column!r} holds {array[bad[0], j]} in row {bad[0]}"
                + (f" and {len(bad) - 1} more" if len(bad) > 1 else "")
                + "; drop these rows or fill them"
            )


def missing(value):
    """Whether that stands for no value: None, nan, or pandas' own NA, which cannot even be compared."""
    return (
        value is None or type(value).__name__ in {"NAType", "NaTType"} or (isinstance(value, float) and value != value)
    )


def refuse(name, column, kind, values):
    """Raise, and say what the column holds and what can be done."""
    text = next((value for value in values if isinstance(value, str)), None)
    if text is not None:
        shown = text if len(text) <= 30 else text[:27] + "..."
        raise TypeError(
            f"{name} must hold numbers: column {column!r} holds text such as {shown!r} (dtype {kind}); {DUMMIES}"
        )
    if str(kind) == "object" and any(map(missing, values)):
        raise ValueError(f"{name} must be finite: column {column!r} has missing values; drop these rows or fill them")
    hint = "convert it to numbers or drop it"
    if "cat" in str(kind).lower() or "enum" in str(kind).lower():
        hint = DUMMIES
    raise TypeError(f"{name} must hold numbers: column {column!r} has dtype {kind}; {hint}")
