"""Group: a penalty whose terms are norms of several coefficients."""

import numpy as np
from numpy.typing import ArrayLike


class Layout:
    """Groups of a problem: columns by group in `order`, group g from begin_g to begin_(g+1), and what each costs.

    That is thin_g |b_g|_1 + level_g |b_g|_2: thin_g = v_g l1, level_g = v_g alpha sqrt(size_g), infinite if held at 0.
    A standardised column without spread has lost its factor v: if it can do something (`live`), it is no part of its
    group's norm, but of one more group, which costs nothing. It still counts in size_g.
    """

    def __init__(self, of, alpha, l1, factor, held, live):
        sizes = np.bincount(of)
        v, fixed = np.zeros(len(sizes)), np.zeros(len(sizes), dtype=bool)
        np.maximum.at(v, of, factor)
        np.logical_or.at(fixed, of, held)
        thin, level = v * l1, np.where(fixed, np.inf, v * alpha * np.sqrt(sizes))
        lost = live & ~held & ((factor < v[of]) | fixed[of])
        if lost.any():
            of, thin, level = np.where(lost, len(sizes), of), np.append(thin, 0.0), np.append(level, 0.0)
        self.of, self.thin, self.level = of, thin, level
        self.sizes = np.bincount(of, minlength=len(level))
        self.order = np.argsort(of, kind="stable")
        self.begin = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.intp)

    def norms(self, b):
        """|b_g|_2 of every group."""
        largest = np.abs(b).max(initial=0.0)
        if largest == 0:
            return np.zeros(len(self.sizes))
        return largest * np.sqrt(np.bincount(self.of, (b / largest) ** 2, len(self.sizes)))

    def penalty(self, b):
        """What b costs."""
        norms = self.norms(b)
        return float(self.level[norms > 0] @ norms[norms > 0] + self.thin[self.of] @ np.abs(b))

    def slope(self, b, d):
        """The derivative of that along d, at b."""
        norms, lengths = self.norms(b), self.norms(d)
        with np.errstate(divide="ignore", invalid="ignore"):
            ahead = np.bincount(self.of, np.where(norms[self.of] > 0, b / norms[self.of], 0.0) * d, len(norms))
        ahead = np.where(norms > 0, ahead, lengths)
        single = np.where(b != 0, np.sign(b) * d, np.abs(d))
        return float(self.level[lengths > 0] @ ahead[lengths > 0] + self.thin[self.of] @ single)

    def expand(self, b, on):
        """Gradient and Hessian of that at b, over the coefficients `on`, none of which is zero."""
        norms, of = self.norms(b), self.of[on]
        unit, bend = b[on] / norms[of], self.level[of] / norms[of]
        H = np.where(of[:, None] == of, np.outer(-bend * unit, unit), 0.0)
        H[np.diag_indices_from(H)] += bend
        return self.thin[of] * np.sign(b[on]) + self.level[of] * unit, H


class Group:
    """alpha sqrt(size_g) |b_g|_2 for each group g of columns, plus l1 |b_j| for each: whole groups enter or stay out.

    The group lasso minimises, over b0 and b, with W = sum_i w_i and v_g the penalty factor of group g,

        1/W sum_i w_i l(y_i, b0 + x_i'b + o_i) + sum_g v_g (alpha sqrt(size_g) |b_g|_2 + l1 |b_g|_1)

    With one group, the default, this is the norm of b, not its square: it shrinks like ridge, and beyond
    a finite alpha it gives 0. With l1 > 0 it is the sparse group lasso.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength >= 0 of the norms.
    groups : array-like of shape (n_features,), optional
        The label of each column's group, a number or a text. None is one group of all columns.
    l1 : float, default=0.0
        Strength >= 0 of an L1 penalty beside it, which leaves zeros within a group.

    Raises
    ------
    ValueError
        By `solve`, if `groups` has not one label for each column, if `penalty_factor` varies within a group, or if
        there are bounds.

    Notes
    -----
    The columns of a group should be in comparable units (``standardize=True``): its norm depends on them. A constant
    column is then no part of the norm (sd_j b_j = 0): without an intercept it is free, though it counts in size_g.
    It does not depend on directions: turning the columns of one group by an orthogonal matrix turns their coefficients
    and changes nothing else, if l1 = 0. At the optimum, a group that is not zero has the coefficients of a ridge fit
    with the strength alpha sqrt(size_g) v_g / |b_g|_2.

    Solved on a growing working set of groups by block coordinate descent with Newton steps on the groups that are
    not zero; where more columns than rows are not zero, by multipliers for the dual first, whose Newton steps are as
    large as there are rows. The gap is that of the dual point, feasible where
    |soft(x_g'theta, v_g l1)|_2 <= alpha sqrt(size_g) v_g.
    The absolute and the pinball loss are replaced by their envelope around the present dual point, a smooth loss, in a
    few rounds (the method of multipliers); Newton's method on the rows of zero residual ends it.

    References
    ----------
    Yuan, M. and Lin, Y. (2006). Model selection and estimation in regression with grouped variables. Journal of the
    Royal Statistical Society B 68, 49-67. Simon, N., Friedman, J., Hastie, T. and Tibshirani, R. (2013). A
    sparse-group lasso. Journal of Computational and Graphical Statistics 22, 231-245. Rockafellar, R. T. (1976).
    Augmented Lagrangians and applications of the proximal point algorithm in convex programming. Mathematics of
    Operations Research 1, 97-116. Zhang, Y., Zhang, N., Sun, D. and Toh, K.-C. (2020). An efficient Hessian based
    algorithm for solving large-scale sparse group Lasso problems. Mathematical Programming 179, 223-263.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast import Group, solve
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> y = X[:, 0] - X[:, 1]
    >>> solve(X, y, penalty=Group(0.3, ["a", "a", "b", "b"])).coef.round(2)
    array([ 0.63, -0.58,  0.  ,  0.  ])
    """

    #: Smallest and largest value each number may take, where not [0, inf): as `Penalty.limits`.
    limits: dict[str, tuple[float, float]] = {}

    def __init__(self, alpha: float = 1.0, groups: ArrayLike | None = None, l1: float = 0.0) -> None:
        self.alpha, self.l1 = float(alpha), float(l1)
        self.groups = None if groups is None else tuple(np.asarray(groups).tolist())

    def parameters(self) -> dict[str, float]:
        """The strengths, by name."""
        return {"alpha": self.alpha, "l1": self.l1}

    def separable(self) -> bool:
        """Whether the penalty is a sum over coefficients."""
        return False

    def elastic(self) -> None:
        """None: this is no sum of l1 |b| + l2 b^2 / 2."""
        return

    def convex(self) -> bool:
        """Whether it is convex, so that an answer carries a duality gap."""
        return True

    def growth(self) -> float:
        """The least slope with which it grows: 0 says that it does not."""
        return self.alpha + self.l1

    def layout(self, factor, held, live):
        """The groups of a problem. Columns that are `held` stay at zero; those that are not `live` predict nothing."""
        return Layout(self.numbers(len(factor)), self.alpha, self.l1, factor, held, live)

    def numbers(self, p):
        """The number of each column's group, from 0 on."""
        if self.groups is None:
            return np.zeros(p, dtype=np.intp)
        return np.unique(np.asarray(self.groups), return_inverse=True)[1]

    def __call__(self, b: ArrayLike) -> float:
        """The penalty of these coefficients, with all factors 1."""
        b = np.asarray(b, dtype=np.float64)
        return self.layout(np.ones(len(b)), np.zeros(len(b), dtype=bool), np.ones(len(b), dtype=bool)).penalty(b)

    def __repr__(self) -> str:
        groups = None if self.groups is None else f"<{len(set(self.groups))} of {len(self.groups)} columns>"
        return f"Group(alpha={self.alpha!r}, groups={groups}, l1={self.l1!r})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), self.alpha, self.groups, self.l1))
