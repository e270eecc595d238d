"""Small real data sets with answers that nobody here made; the files name their sources."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

FOLDER = Path(__file__).parent / "data"
NIST = ("norris", "pontius", "noint1", "noint2", "filip", "longley", *(f"wampler{i}" for i in range(1, 6)))
NIST_DEGREE = {"pontius": 2, "filip": 10} | {f"wampler{i}": 5 for i in range(1, 6)}


class Data(NamedTuple):
    X: np.ndarray
    y: np.ndarray
    names: list[str]
    certified: np.ndarray | None = None  # coefficients, the intercept first where there is one
    rss: float | None = None


def load(name):
    """The file data/<name>.csv: # comments, a line of names, then numbers; the last column is y."""
    text = (FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    comments = dict(line[2:].split(": ", 1) for line in text if line.startswith("#") and ": " in line)
    names, *rows = [line.split(",") for line in text if not line.startswith("#")]
    table = np.array(rows, dtype=float)
    known = {}
    if "certified" in comments:
        known = {"certified": np.array(comments["certified"].split(), dtype=float), "rss": float(comments["rss"])}
    return Data(np.ascontiguousarray(table[:, :-1]), table[:, -1].copy(), names[:-1], **known)


def load_nist(name):
    """As `load`, with the powers of x where the model is a polynomial."""
    data = load(name)
    degree = NIST_DEGREE.get(name, 1)
    return data._replace(X=np.hstack([data.X**k for k in range(1, degree + 1)]))


def load_prostate():
    """ESL table 3.3: X scaled by mean and sd (divisor n - 1) of all 97 rows; the mask of the 67 training rows."""
    data = load("prostate")
    X, train = data.X[:, :-1], data.X[:, -1] == 1
    return Data((X - X.mean(0)) / X.std(0, ddof=1), data.y, data.names[:-1]), train


def load_diabetes():
    """The 442 x 10 of least angle regression: columns centred and of norm 1."""
    data = load("diabetes")
    X = data.X.copy()
    X[:, data.names.index("bp3")] /= 3
    X[:, data.names.index("exp_s5")] = np.log(X[:, data.names.index("exp_s5")])
    X -= X.mean(0)
    names = [{"bp3": "bp", "exp_s5": "s5"}.get(name, name) for name in data.names]
    return Data(X / np.sqrt((X * X).sum(0)), data.y, names)


def random_problem(seed, n=30, p=6, sparse=False):
    """X, y with correlated columns, unequal scales and means away from 0; about 60 % zeros if sparse."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 0.7 * rng.standard_normal((n, 1))
    X = (X + rng.uniform(-2, 2, p)) * 10 ** rng.uniform(-1, 1, p)
    if sparse:
        X[rng.random((n, p)) < 0.6] = 0
    b = np.where(rng.random(p) < 0.6, rng.standard_normal(p), 0) / np.maximum(X.std(0), 1e-3)
    return X, X @ b + 3 + rng.standard_t(3, n)
