"""inference(): standard errors and confidence intervals of unpenalised median and quantile fits.

    sqrt(n) (b - beta) -> N(0, tau (1 - tau) H^-1 J H^-1),   J = X'X / n,  H = X' diag(f) X / n

f_i is the density of y_i at its quantile, and the kinds differ by how they estimate it, or avoid to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from l1l2fast import _validate, _validate_quantiles
from l1l2fast.result import Result
from l1l2fast.sandwich import Fit

SOURCES = {
    "iid": "errors with one density (Koenker and Bassett, 1978; Siddiqui, 1960)",
    "nid": "sandwich, densities by differences (Hendricks and Koenker, 1992)",
    "ker": "sandwich, densities by a kernel (Powell, 1991)",
    "rank": "inverted rank test (Koenker, 1994)",
    "bootstrap": "pairs bootstrap (Efron, 1982)",
}
BANDWIDTHS = {"hall-sheather": "Hall and Sheather, 1988", "bofinger": "Bofinger, 1975"}


@dataclass(frozen=True, slots=True, eq=False)
class Inference:
    """What `inference` found; the intercept, if there is one, comes first. Printed, it is a table.

    Attributes
    ----------
    names : list of str
        Names of the coefficients.
    coef, std_err, t, p_value : ndarray of shape (k,)
        Coefficients, their standard errors, ``coef / std_err`` and its two-sided p-value by Student's t with `dof`
        degrees of freedom. nan for kind="rank", which has none.
    lower, upper : ndarray of shape (k,)
        Confidence limits at `level`.
    cov : ndarray of shape (k, k) or None
        Covariance matrix of the coefficients.
    kind : str
        How it was found.
    quantile, level, bandwidth : float
        The quantile that was fitted, the confidence level, and the bandwidth in quantiles (nan if none was used).
    n, dof : int
        Rows of positive weight, and that less the number of coefficients.
    """

    names: list[str]
    coef: np.ndarray
    std_err: np.ndarray
    t: np.ndarray
    p_value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    cov: np.ndarray | None
    kind: str
    quantile: float
    level: float
    bandwidth: float
    n: int
    dof: int

    def __str__(self) -> str:
        tail = (1 - self.level) / 2
        heads = ["coef", "std err", "t", "P>|t|", f"[{tail:.3g}", f"{1 - tail:.3g}]"]
        columns = [self.coef, self.std_err, self.t, self.p_value, self.lower, self.upper]
        formats = [".5g", ".4g", ".3f", ".3f", ".5g", ".5g"]
        shown = [i for i, column in enumerate(columns) if not np.isnan(column).all()]  # rank has no standard errors
        width = max(map(len, self.names))
        h = "" if np.isnan(self.bandwidth) else f", h = {self.bandwidth:.4g}"
        lines = [
            f"Quantile {self.quantile:g}, {self.n} rows, {self.dof} degrees of freedom",
            f"{self.kind}: {SOURCES[self.kind]}{h}",
            " " * width + "".join(f"{heads[i]:>12}" for i in shown),
        ]
        for row, name in enumerate(self.names):
            lines.append(f"{name:<{width}}" + "".join(f"{columns[i][row]:>12{formats[i]}}" for i in shown))
        return "\n".join(lines)


def inference(
    result: Result,
    kind: str = "nid",
    *,
    level: float = 0.95,
    bandwidth: str | float = "hall-sheather",
    iid: bool = True,
    n_boot: int = 500,
    random_state: int = 0,
    n_jobs: int = 1,
    names: Sequence[str] | None = None,
) -> Inference:
    """Standard errors and confidence intervals of a median or quantile fit without penalty.

    With tau the quantile, k the number of coefficients, X including the column of ones and r the residuals,
    the covariance matrix is ``tau (1 - tau) H^-1 X'X H^-1`` with ``H = sum_i f_i x_i x_i'`` and

    - iid: f_i = 2 h / (Q(tau + h) - Q(tau - h)), Q the quantiles of the residuals but the k zeros of the vertex;
    - nid: f_i = max(0, 2 h / x_i'(b(tau + h) - b(tau - h))), b(tau +- h) being fitted;
    - ker: f_i = phi(r_i / c) / c with c = (z(tau + h) - z(tau - h)) min(sd(r), IQR(r) / 1.34), phi and z being the
      density and the quantiles of the normal distribution.

    Parameters
    ----------
    result : Result
        Of `solve` with the absolute or the pinball loss, no penalty and no bounds; not one that was pickled.
    kind : {"nid", "iid", "ker", "rank", "bootstrap"}, default="nid"
        nid, ker and bootstrap allow for a spread that changes with X; rank inverts a test, has no standard errors,
        and its intervals need no density when the errors have but one (`iid`).
    level : float, default=0.95
        Confidence level.
    bandwidth : {"hall-sheather", "bofinger"} or float, default="hall-sheather"
        h; it is halved until tau +- h lies between 0 and 1.
    iid : bool, default=True
        kind="rank": the variance of the test for errors of one density; False: with the densities of nid.
    n_boot : int, default=500
        kind="bootstrap": how many samples of n rows are drawn; the limits are quantiles of their coefficients.
    random_state : int, default=0
        Seed of the bootstrap.
    n_jobs : int, default=1
        Threads of the bootstrap; the numbers do not depend on it.
    names : sequence of str, optional
        Names of the columns of X; default those of a data frame, else x1, x2, ...

    Returns
    -------
    Inference
        `std_err`, `lower`, `upper`, `cov`, ...; ``print(inference(result))`` is a table.

    Raises
    ------
    ValueError, TypeError
        If the result is not as above, X has constant or collinear columns, or the bandwidth leaves no densities.

    Notes
    -----
    Rows are taken times their weights, scaled to the mean 1, as in R's quantreg: weights are inverse scales, and
    not counts. nid, ker and rank are defined as in R's summary.rq, whose bootstrap and iid use other estimates.

    References
    ----------
    Koenker (2005), Quantile Regression, chapters 3 and 4. Hendricks and Koenker (1992), J. Am. Stat. Assoc. 87. Powell
    (1991), in Barnett et al. Koenker (1994), in Mandl and Huskova. Hall and Sheather (1988), J. R. Statist. Soc. B 50.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast import inference, solve
    >>> x = np.arange(40.0)
    >>> result = solve(x[:, None], 2 * x + np.cos(7 * x), "absolute")
    >>> print(inference(result, "ker", names=["x"]))
    Quantile 0.5, 40 rows, 38 degrees of freedom
    ker: sandwich, densities by a kernel (Powell, 1991), h = 0.2841
                     coef     std err           t       P>|t|      [0.025      0.975]
    Intercept       0.156      0.5348       0.292       0.772    -0.92666      1.2387
    x              1.9904     0.02361      84.316       0.000      1.9426      2.0382
    """
    kind = _validate.choice("kind", kind, SOURCES)
    level = _validate.number("level", level, 0.0, 1.0)
    fit = Fit(*_validate_quantiles.for_inference(result))
    _validate_quantiles.full_rank(fit.gram)
    names = _validate_quantiles.labels(result.feature_names if names is None else names, fit.p)
    h = fit.bandwidth(_validate_quantiles.bandwidth(bandwidth, BANDWIDTHS))
    cov, std_err = None, np.full(fit.k, np.nan)
    if kind == "rank":
        h = np.nan if _validate.flag("iid", iid) else h
        lower, upper = fit.inverted(level, h)
    elif kind == "bootstrap":
        h, counts = np.nan, {"n_boot": n_boot, "n_jobs": n_jobs, "random_state": random_state}
        low = {"n_boot": 2, "n_jobs": 1, "random_state": 0}
        draws = fit.bootstrap(*(_validate.number(name, counts[name], low[name], kind=int) for name in counts))
        cov = np.cov(draws.T, ddof=1).reshape(fit.k, fit.k)
        lower, upper = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    else:
        cov = fit.covariance(fit.density(kind, h))
    if cov is not None:
        std_err = np.sqrt(np.diag(cov))
    if kind in ("iid", "nid", "ker"):
        reach = fit.critical(level) * std_err
        lower, upper = fit.coef - reach, fit.coef + reach
    with np.errstate(divide="ignore", invalid="ignore"):
        t = fit.coef / std_err
    names = ["Intercept", *names] if fit.intercept else names
    return Inference(
        names, fit.coef, std_err, t, fit.p_value(t), lower, upper, cov, kind, fit.tau, level, h, fit.n, fit.n - fit.k
    )
