"""What `path` hands back: the answers for all alphas, and what they say about how many parameters are worth it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from l1l2fast import criteria
from l1l2fast.result import Status


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """The answers of `path`, one per alpha; K alphas.

    Attributes
    ----------
    alphas : ndarray of shape (K,)
        Strengths of the penalty, descending.
    coef_csc : scipy.sparse.csc_array of shape (n_features, K)
        Coefficients on the scale of X; `coef` is the same as a dense array.
    intercept : ndarray of shape (K,)
        Intercepts, 0 if none was fitted.
    objective, gap : ndarray of shape (K,)
        Value of the objective, and a bound on how far it may be above its minimum.
    tolerance : float
        The gap that was asked for: ``tol`` times the objective of the null model.
    l1_ratio : float
        Share of L1 in the penalty.
    n_passes : int
        Passes over X, for all alphas.
    n_iter : int
        Epochs of coordinate descent, reweightings or pivots, for all alphas.
    time : float
        Seconds, validation included.
    """

    alphas: np.ndarray
    coef_csc: object
    intercept: np.ndarray
    objective: np.ndarray
    gap: np.ndarray
    tolerance: float
    l1_ratio: float
    n_passes: int
    n_iter: int
    time: float
    _problem: object = field(repr=False, default=None)  # l1l2fast.problem.Problem: what was solved, for later questions

    def __getstate__(self):
        # a copy on disk carries the answers, not the data
        return [None if name == "_problem" else getattr(self, name) for name in self.__slots__]

    @property
    def coef(self) -> np.ndarray:
        """Coefficients as an array of shape (n_features, K)."""
        return self.coef_csc.toarray()

    @property
    def dual_objective(self) -> np.ndarray:
        """Lower bounds on the minima."""
        return self.objective - self.gap

    @property
    def status(self) -> list[Status]:
        """How each alpha ended: a list of `Status`."""
        return [Status.CONVERGED if gap <= self.tolerance else Status.MAX_ITER for gap in self.gap]

    def predict(self, X: Any) -> np.ndarray:
        """Predictions, of shape (n_samples, K)."""
        X = X if hasattr(X, "tocsc") else np.asarray(X)
        if X.ndim != 2 or X.shape[1] != self.coef_csc.shape[0]:
            raise ValueError(f"X must have shape (n_samples, {self.coef_csc.shape[0]}), got {X.shape}")
        fit = X @ self.coef_csc
        return (fit.toarray() if hasattr(fit, "toarray") else fit) + self.intercept

    @property
    def df(self) -> np.ndarray:
        """Degrees of freedom of each answer, the intercept among them, of shape (K,); see `criterion`."""
        return criteria.degrees(self)

    def criterion(self, name: str = "bic", *, gamma: float = 0.5, noise_variance: float | None = None) -> np.ndarray:
        """Information criterion of each answer: smaller is better.

            "aic"    d + 2 df                "cp"      RSS / s2 - n + 2 df
            "bic"    d + log(n) df           "ebic"    d + log(n) df + 2 gamma log(p choose nonzero coefficients)

        d is minus twice the log-likelihood: n log(RSS / n) for the squared loss, or RSS / s2 if s2 = `noise_variance`
        is given; 2 n log(mean loss) for the absolute and the pinball loss; else 2 n times the mean loss. In Cp, s2
        is estimated from all columns if it is not given. n counts the rows of positive weight.

        Degrees of freedom: nonzero coefficients for L1; with L2 the trace of the map from y to its fit on these;
        for the absolute and the pinball loss the rows that are fitted exactly.

        Parameters
        ----------
        name : {"aic", "bic", "cp", "ebic"}, default="bic"
        gamma : float in [0, 1], default=0.5
            How much "ebic" charges for having many columns to choose from.
        noise_variance : float, optional
            Variance of the noise, for the squared loss.

        Returns
        -------
        ndarray of shape (K,)

        References
        ----------
        Zou, Hastie and Tibshirani (2007), Ann. Statist. 35. Li, Liu and Zhu (2007), JASA 102. Chen and Chen (2008),
        Biometrika 95. Mallows (1973), Technometrics 15.
        """
        return criteria.criterion(self, name, gamma, noise_variance)

    def leave_one_out(self) -> np.ndarray:
        """y less its prediction from the other rows, of shape (n_samples, K), for the squared loss; no refit.

        Returns
        -------
        ndarray of shape (n_samples, K)
            r_i / (1 - h_i), h_i being the leverage of row i: exact for ridge, and with L1 as long as the set of
            nonzero coefficients stays what it is. The other rows keep their weights, as alpha keeps its share
            of them. nan where a row decides its own fit (h_i = 1).
        """
        return criteria.leave_one_out(self)

    def __len__(self):
        return len(self.alphas)

    def __repr__(self):
        counts = np.diff(self.coef_csc.indptr)
        return (
            f"Path({len(self)} alphas from {self.alphas[0]:.3g} to {self.alphas[-1]:.3g}, "
            f"{counts.min()} to {counts.max()} of {self.coef_csc.shape[0]} coefficients nonzero, "
            f"largest gap={self.gap.max():.1e}, n_passes={self.n_passes}, n_iter={self.n_iter}, time={self.time:.2g})"
        )
