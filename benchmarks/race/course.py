"""The course: seeded data, real data given by a path, and the table of problems run on them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.signal import lfilter

from race.losses import loss_of


@dataclass(frozen=True)
class Problem:
    """One row of the race.

    kind is "fit" (one alpha), "path" (`count` alphas, coefficients for each), "ridge" (the same
    without the L1 term), "loop" (1000 fits of their own: rows come in blocks, alphas one per block) or "process" (19
    quantiles without a penalty: the alphas are the quantiles).
    """

    name: str
    data: str
    kind: str
    last: float  # the smallest alpha, as a share of the smallest that leaves no column in; without L1, itself
    l1_ratio: float = 1.0
    blocks: int = 1
    count: int = 100
    loss: str = "squared"  # or "pinball", "huber", "logistic"
    parameter: float | None = None  # of the loss: a quantile; Huber's delta, as a share of the spread of y
    intercept: bool = True
    gamma: float | None = None  # of MCP, which then is the penalty


@dataclass
class Task:
    """A problem with its numbers: what a contestant is given."""

    X: np.ndarray | sp.csc_matrix
    y: np.ndarray
    alphas: np.ndarray
    l1_ratio: float = 1.0
    kind: str = "fit"
    blocks: int = 1
    alpha_max: float = 1.0
    loss: str = "squared"
    parameter: float | None = None
    intercept: bool = True
    gamma: float | None = None

    @property
    def convex(self):
        return self.gamma is None

    def parts(self):
        """(X, y, alphas) of each model: all of it, or a block of rows for each alpha of a loop."""
        if self.blocks == 1:
            return [(self.X, self.y, self.alphas)]
        rows = np.arange(len(self.y)).reshape(self.blocks, -1)
        return [(np.asfortranarray(self.X[i]), self.y[i], self.alphas[k : k + 1]) for k, i in enumerate(rows)]


def fits(data, lasts, path=None, l1_ratio=1.0, prefix="", **what):
    rows = [Problem(f"{prefix}{data}_{last}", data, "fit", 1 / last, l1_ratio, **what) for last in lasts]
    return rows + [Problem(f"{prefix}{data}_path", data, "path", path, l1_ratio, **what)] * (path is not None)


def quantiles(*data):
    """Medians and ninth deciles."""
    of = {"lad": 0.5, "q90": 0.9}
    return [
        Problem(f"{prefix}_{name}", name, "fit", 0.0, loss="pinball", parameter=q)
        for prefix, q in of.items()
        for name in data
    ]


def medians(data, strengths):
    """Medians with an L2 penalty, of so much beside the mean of |r|."""
    what = {"loss": "pinball", "parameter": 0.5, "intercept": False}
    return [Problem(f"ridgelad_{data}_{a:g}", data, "fit", a / 2, 0.0, **what) for a in strengths]


# of L1-penalised medians
MEDIAN = {"loss": "pinball", "parameter": 0.5, "intercept": False, "count": 50}
PROBLEMS = [
    *fits("wide", (10, 100, 1000), 1e-2),
    *fits("corr", (10, 100, 1000), 1e-2),
    *fits("gene", (10, 100, 1000), 1e-2),
    *fits("tall", (10, 1000), 1e-3),
    *fits("sparse", (10, 100), 1e-2),
    *fits("news20", (10, 100), 1e-2),
    *fits("farmads", (10, 100), 1e-2),
    *fits("corr", (10, 100), 1e-2, 0.5, "enet_"),
    Problem("ridge_tall", "ridge_tall", "ridge", 1e-4, 0.0),
    Problem("ridge_wide", "ridge_wide", "ridge", 1e-4, 0.0),
    Problem("tiny_loop", "tiny", "loop", 0.1, blocks=1000),
    Problem("qprocess_1e5x20", "1e5x20", "process", 0.0, loss="pinball"),
    *quantiles("1e4x10", "1e5x20", "1e6x10", "1e5x200", "2000x500", "tied", "stackloss", "engel", "diabetes"),
    *fits("wide", (10, 100), prefix="logit_", loss="logistic", intercept=False),
    *fits("sparse", (10, 100), prefix="logit_", loss="logistic", intercept=False),
    *fits("news20", (10, 100), prefix="logit_", loss="logistic", intercept=False),
    Problem("logit_l2_1e5x50", "1e5x50", "fit", 1e-5, 0.0, loss="logistic"),
    *fits("wide", (10, 100), 1e-2, prefix="huberl1_", loss="huber", parameter=0.3, count=50),
    *fits("wide", (10, 100), prefix="mcp_", gamma=3.0),
    *medians("1e4x100", (0.1, 1e-3)),
    *medians("2000x1000", (10.0, 0.1, 1e-3)),
    *fits("200x2000", (10, 100), prefix="l1lad_", **MEDIAN),
    *fits("2000x200", (10, 100), 1e-2, prefix="l1lad_", **MEDIAN),
    *fits("1000x10000", (10,), prefix="l1lad_", **MEDIAN),
    *fits("2000x200", (10, 100), prefix="l1q90_", **MEDIAN | {"parameter": 0.9}),
]
# small enough for a test, one of each kind; not among those that count
REHEARSAL = [
    Problem("rehearsal_fit", "rehearsal", "fit", 0.1),
    Problem("rehearsal_tall", "rehearsal_tall", "fit", 0.1),
    Problem("rehearsal_sparse", "rehearsal_sparse", "path", 0.1),
    Problem("rehearsal_path", "rehearsal", "path", 0.1, 0.5),
    Problem("rehearsal_ridge", "rehearsal", "ridge", 1e-2, 0.0),
    Problem("rehearsal_loop", "rehearsal_tall", "loop", 0.1, blocks=5),
    Problem("rehearsal_quantile", "rehearsal_heavy", "fit", 0.0, loss="pinball", parameter=0.3),
    Problem("rehearsal_process", "rehearsal_heavy", "process", 0.0, loss="pinball"),
    Problem("rehearsal_logistic", "rehearsal", "fit", 0.1, loss="logistic", intercept=False),
    Problem("rehearsal_logistic_l2", "rehearsal_tall", "fit", 0.01, 0.0, loss="logistic"),
    Problem("rehearsal_huber", "rehearsal", "path", 0.1, loss="huber", parameter=0.3, count=5),
    *medians("rehearsal_heavy", (0.1,)),
    Problem("rehearsal_l1lad", "rehearsal_outlying", "path", 0.1, count=3, loss="pinball", parameter=0.5),
    Problem("rehearsal_l1q80", "rehearsal_outlying", "fit", 0.1, loss="pinball", parameter=0.8, intercept=False),
    Problem("rehearsal_mcp", "rehearsal_tall", "fit", 0.1, gamma=3.0),
]
# what the file of a real data set may be called; without one, gene has a synthetic stand-in
FILES = {"gene": ("gene", "leukemia", "golub"), "news20": ("news20",), "farmads": ("farmads", "farm-ads", "farm_ads")}
FILES |= {name: (name,) for name in ("stackloss", "engel", "diabetes")}


def answer(X, rng, columns):
    """y = 1 + X b + noise, a tenth of its variance, with normal coefficients on these columns."""
    b = np.zeros(X.shape[1])
    b[columns] = rng.standard_normal(len(columns))
    signal = np.asarray(X @ b)
    return 1 + signal + rng.standard_normal(len(signal)) * signal.std() / 3


def autoregressive(n, p, rho, seed):
    """Columns of variance 1 in which neighbours correlate by rho."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((p, n))
    X[1:] *= np.sqrt(1 - rho**2)
    X = np.asfortranarray(lfilter([1.0], [1.0, -rho], X, axis=0).T)
    return X, answer(X, rng, rng.choice(p, max(5, min(n, p) // 20), replace=False))


def heavy(n, p, seed):
    """Normal columns, all of them in the answer, and noise with two degrees of freedom."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((n, p)))
    return X, 1 + X @ rng.standard_normal(p) + rng.standard_t(2, n)


def outlying(n, p, seed):
    """Columns whose neighbours correlate by .5, ten of them in the answer, and noise with two degrees of freedom."""
    X, _ = autoregressive(n, p, 0.5, seed)
    rng = np.random.default_rng(seed)
    b = np.zeros(p)
    b[rng.choice(p, min(p, 10), replace=False)] = rng.standard_normal(min(p, 10))
    return X, X @ b + rng.standard_t(2, n)


def tied(n, p, seed):
    """Small integers, each row about twice."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 4, (n // 2, p)).astype(float)
    y = X @ rng.integers(-2, 3, p) + rng.integers(-3, 4, n // 2)
    again = rng.integers(n // 2, size=n)
    return np.asfortranarray(X[again]), y[again].astype(float)


def factors(n, p, seed):
    """A stand-in for gene expression: ten factors and noise; the answer is a class, 0 or 1."""
    rng = np.random.default_rng(seed)
    score = rng.standard_normal((n, 10))
    X = np.asfortranarray(score @ rng.standard_normal((10, p)) + rng.standard_normal((n, p)))
    return X, (score[:, 0] + 0.5 * rng.standard_normal(n) > 0.4).astype(float)


def documents(n, p, words, seed):
    """tf-idf of `n` texts of about `words` words each; the k-th word is about 1/k as frequent as the first.

    The answer depends on a few of the frequent ones.
    """
    rng = np.random.default_rng(seed)
    frequency = 1 / (np.arange(p) + 20.0)
    length = rng.poisson(words, n)
    column = rng.choice(p, length.sum(), p=frequency / frequency.sum())
    place = rng.permutation(p)
    X = sp.coo_matrix((np.ones(len(column)), (np.repeat(np.arange(n), length), place[column])), (n, p)).tocsc()
    X.data = 1 + np.log(X.data)
    X = X @ sp.diags(np.log(n / np.maximum(1, np.diff(X.indptr))) + 1)
    norms = np.sqrt(X.multiply(X).sum(axis=1)).A1
    X = (sp.diags(1 / np.maximum(norms, 1e-300)) @ X).tocsc()
    X.sort_indices()
    return X, answer(X, rng, rng.choice(place[: p // 50 + 20], p // 2000 + 5, replace=False))


MADE = {
    "wide": lambda: autoregressive(1000, 10000, 0.5, 1),
    "corr": lambda: autoregressive(500, 5000, 0.95, 2),
    "gene": lambda: factors(72, 7129, 3),
    "tall": lambda: autoregressive(100_000, 200, 0.5, 4),
    "sparse": lambda: documents(20_000, 100_000, 110, 5),
    "ridge_tall": lambda: autoregressive(5000, 2000, 0.5, 6),
    "ridge_wide": lambda: autoregressive(200, 20_000, 0.5, 7),
    "tiny": lambda: autoregressive(100_000, 20, 0.5, 8),
    "1e4x10": lambda: heavy(10_000, 10, 12),
    "1e5x20": lambda: heavy(100_000, 20, 13),
    "1e6x10": lambda: heavy(1_000_000, 10, 14),
    "1e5x50": lambda: autoregressive(100_000, 50, 0.5, 19),
    "1e5x200": lambda: heavy(100_000, 200, 15),
    "1e4x100": lambda: heavy(10_000, 100, 20),
    "2000x1000": lambda: heavy(2000, 1000, 21),
    "2000x500": lambda: heavy(2000, 500, 16),
    "tied": lambda: tied(5000, 8, 17),
    "200x2000": lambda: outlying(200, 2000, 20),
    "2000x200": lambda: outlying(2000, 200, 21),
    "1000x10000": lambda: outlying(1000, 10_000, 22),
    "rehearsal_outlying": lambda: outlying(80, 12, 23),
    "rehearsal_heavy": lambda: heavy(200, 4, 18),
    "rehearsal": lambda: autoregressive(40, 60, 0.5, 9),
    "rehearsal_tall": lambda: autoregressive(200, 6, 0.5, 10),
    "rehearsal_sparse": lambda: documents(100, 60, 10, 11),
}


def find(data, places):
    """The npz file of a data set: `name=file` among the places, or anywhere below a folder among them."""
    for place in places:
        name, _, file = place.partition("=")
        if file and name == data:
            return file
        if not file:
            for path in sorted(Path(place).rglob("*.npz")):
                if path.stem.lower().startswith(FILES.get(data, ())):
                    return str(path)
    return None


@lru_cache(maxsize=1)
def load(data, places):
    """X and y by name; None if it is real data that nobody gave a path for."""
    file = find(data, places) if data in FILES else None
    if file is None:
        return MADE[data]() if data in MADE else None
    with np.load(file) as stored:
        y = stored["y"].astype(float)
        if "X" in stored:
            X = np.asfortranarray(stored["X"], dtype=float)
        else:
            X = sp.csc_matrix((stored["data"].astype(float), stored["indices"], stored["indptr"]), stored["shape"])
            X.sort_indices()
    if data == "news20":  # twenty groups: the first ten against the rest
        y = np.where(y <= 10, 1.0, -1.0)
    return X, y


def task(problem, places=()):
    """The task of a problem, or None without its data."""
    loaded = load(problem.data, tuple(places))
    if loaded is None:
        return None
    X, y = loaded
    of_loss = {"loss": problem.loss, "parameter": problem.parameter}
    if problem.loss == "logistic" and not set(np.unique(y)) <= {-1.0, 1.0}:  # above the median, or not
        y = np.where(y > np.median(y), 1.0, -1.0)
    if problem.loss == "huber":
        of_loss["parameter"] = problem.parameter * float(np.median(abs(y - np.median(y))))
    if problem.kind == "process":
        return Task(X, y, np.arange(1, 20) / 20, kind="process", loss="pinball")
    if problem.kind == "ridge":  # about 100 columns' worth of shrinkage down to hardly any
        return Task(X, y, np.geomspace(100.0, 100 * problem.last**1.5, 100), 0.0, "ridge")
    rest = {"intercept": problem.intercept, "gamma": problem.gamma, **of_loss}
    this = Task(X, y, np.array([problem.last]), problem.l1_ratio, problem.kind, problem.blocks, **rest)
    if problem.last == 0 or problem.l1_ratio == 0:
        return this
    largest = [
        steepest(this, A, b) / problem.l1_ratio for A, b, _ in replace(this, alphas=np.empty(problem.blocks)).parts()
    ]
    this.alpha_max = max(largest)
    ratios = np.geomspace(1, problem.last, problem.count) if problem.kind == "path" else problem.last
    this.alphas = np.atleast_1d(np.array(largest) * ratios)
    return this


def steepest(task, X, y):
    """The largest slope of the mean loss where no column is in."""
    loss, f = loss_of(task), np.zeros((len(y), 1))
    if task.intercept:
        f += loss.level(y, f)
    return float(abs(X.T @ loss.gradient(y, f[:, 0])).max() / len(y))
