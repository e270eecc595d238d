"""HiGHS on quantile regression as a linear programme: the primal one, or the dual one, which has n unknowns.

    minimise    sum_i tau u_i + (1 - tau) v_i + n alpha |b|_1      with  X b + b0 + u - v = y,   u, v >= 0
    maximise    psi'y                                               with  |X'psi| <= n alpha,   tau - 1 <= psi <= tau

Beside an intercept sum(psi) = 0; the coefficients are the multipliers of the dual one.
"""

import numpy as np

from race.contestants.base import Contestant, penalised


class Highs(Contestant):
    module = "highspy"

    @staticmethod
    def variants(task):
        # no tolerance: the end is exact
        if task.loss != "pinball" or task.l1_ratio != 1 or task.kind not in ("fit", "path"):
            return {}
        if task.kind == "path":  # from one alpha to the next by the simplex method, which starts where it was
            return {"dual-simplex": [0.0], "primal-simplex": [0.0]}
        both = ["simplex", "ipm"]
        forms = ["dual", "primal"] if penalised(task) else ["dual"]
        if task.X.size > 1e6:
            return {"dual-ipm": [0.0]} if penalised(task) else {}
        return {f"{form}-{method}": [0.0] for form in forms for method in both}

    def __init__(self):
        import highspy

        self.package = highspy

    def begin(self, matrix, cost, limits, rows, method):
        """A solver that holds: minimise cost'x, limits[0] <= x <= limits[1], rows[0] <= matrix x <= rows[1]."""
        m, k = matrix.shape
        lp = self.package.HighsLp()
        lp.num_col_, lp.num_row_ = k, m
        lp.col_cost_, (lp.col_lower_, lp.col_upper_), (lp.row_lower_, lp.row_upper_) = cost, limits, rows
        matrix = matrix.tocsc() if hasattr(matrix, "tocsc") else matrix
        lp.a_matrix_.format_ = self.package.MatrixFormat.kColwise
        if hasattr(matrix, "indptr"):
            lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
        else:
            lp.a_matrix_.start_ = m * np.arange(k + 1, dtype=np.int32)
            lp.a_matrix_.index_ = np.tile(np.arange(m, dtype=np.int32), k)
            lp.a_matrix_.value_ = matrix.ravel(order="F")
        solver = self.package.Highs()
        solver.silent()
        solver.setOptionValue("solver", method)
        solver.setOptionValue("threads", 1)
        solver.passModel(lp)
        return solver

    def dual(self, X, y, alphas, method):
        n, p = X.shape
        tau, extra = self.task.parameter, int(self.task.intercept)
        Z = np.vstack([np.ones((extra, n)), X.T])
        solver, found = None, []
        for alpha in alphas:
            wall = np.r_[np.zeros(extra), np.full(p, n * alpha)]
            if solver is None:
                limits = np.full(n, tau - 1.0), np.full(n, tau)
                solver = self.begin(Z, -y, limits, (-wall, wall), method)
            else:
                for j in range(p):
                    solver.changeRowBounds(extra + j, -n * alpha, n * alpha)
            solver.run()
            found.append(-np.array(solver.getSolution().row_dual))
        found = np.array(found).T
        return found[extra:], found[0] if extra else np.zeros(len(alphas)), None

    def primal(self, X, y, alphas, method):
        import scipy.sparse as sp

        n, p = X.shape
        tau, extra = self.task.parameter, int(self.task.intercept)
        matrix = sp.hstack([X, -X, np.ones((n, extra)), sp.eye(n), -sp.eye(n)], format="csc")
        low = np.zeros(matrix.shape[1])
        low[2 * p : 2 * p + extra] = -np.inf
        rest = np.r_[np.zeros(extra), np.full(n, tau), np.full(n, 1 - tau)]
        solver, found = None, []
        for alpha in alphas:
            if solver is None:
                cost = np.r_[np.full(2 * p, n * alpha), rest]
                solver = self.begin(matrix, cost, (low, np.full(len(low), np.inf)), (y, y), method)
            else:
                for j in range(2 * p):
                    solver.changeColCost(j, n * alpha)
            solver.run()
            found.append(np.array(solver.getSolution().col_value))
        found = np.array(found).T
        return found[:p] - found[p : 2 * p], found[2 * p] if extra else np.zeros(len(alphas)), None

    def path(self, X, y, alphas, variant, tol):
        form, method = variant.split("-")
        return getattr(self, form)(X, y, alphas, method)

    def fit(self, X, y, alpha, variant, tol):
        coef, intercept, _ = self.path(X, y, [alpha], variant, tol)
        return coef[:, 0], intercept[0], None
