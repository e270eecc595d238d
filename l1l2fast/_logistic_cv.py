"""LogisticRegressionCV, for `l1l2fast.sklearn`: one certified path for each fold and each l1_ratio."""

import numbers
import warnings

import numpy as np
from sklearn import linear_model
from sklearn.base import _fit_context
from sklearn.metrics import get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils import compute_class_weight
from sklearn.utils._metadata_requests import _raise_for_params
from sklearn.utils.metadata_routing import _routing_enabled, process_routing
from sklearn.utils.validation import _check_sample_weight, validate_data

from l1l2fast import _estimators
from l1l2fast._generalised import LogisticRegression, two_classes
from l1l2fast.losses import Logistic
from l1l2fast.path import path
from l1l2fast.tasks import cores, run

DEFAULTS = ("warn", "deprecated")


class LogisticRegressionCV(linear_model.LogisticRegressionCV):
    """Logistic regression of two classes with C and l1_ratio chosen by cross-validation: scikit-learn's, certified.

    Minimises, for every C, every l1_ratio and every fold, with y_i = -1 for the first class and 1 for the second,

        C sum_i w_i log(1 + exp(-y_i (intercept + x_i'b))) + l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2

    Parameters
    ----------
    Cs : int or array-like, default=10
        Weights of the loss, or how many of them between 1e-4 and 1e4.
    l1_ratios : array-like, default=None
        Shares of the L1 norm in the penalty to choose from. None for 0, or what `penalty` says.
    penalty : {'l1', 'l2', 'elasticnet'}
        As in scikit-learn 1.8, it may be left out.
    fit_intercept, cv, class_weight, n_jobs
        As in scikit-learn, with threads over the folds.
    scoring : str or callable, default=None
        As in scikit-learn, larger being better; None for the accuracy.
    tol : float, default=1e-4
        As in `LogisticRegression`.
    refit : bool, default=True
        Fit all rows with the best C and l1_ratio; else take the mean over the folds, each with its own best ones.
    use_legacy_attributes : bool, default=True
        Shapes of the attributes: as below, or those of scikit-learn 1.10.
    max_iter, solver, dual, intercept_scaling, random_state, verbose
        Checked as in scikit-learn, without influence on the answer.

    Attributes
    ----------
    C_, l1_ratio_ : ndarray of shape (1,)
        What was chosen.
    Cs_ : ndarray of shape (n_cs,)
        All C that were tried.
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
        All l1_ratio that were tried.
    scores_ : dict
        The second class: ndarray of shape (n_folds, n_cs) or, with l1_ratios, (n_folds, n_cs, n_l1_ratios).
    coefs_paths_ : dict
        The same, with an axis of n_features + 1 more: coefficients, then the intercept if there is one.
    n_iter_ : ndarray of shape (1, n_folds, n_cs) or (1, n_folds, n_cs, n_l1_ratios)
        Epochs of the path that an answer belongs to.
    dual_gap_ : float
        Proven bound on how far the objective of the last fit is above its minimum, by the sum of the weights.
    classes_, coef_, intercept_, n_features_in_, feature_names_in_
        As in `LogisticRegression`.

    See Also
    --------
    LogisticRegression : For a C that is known.

    Notes
    -----
    More than two classes are an error.

    Examples
    --------
    >>> import numpy as np
    >>> from l1l2fast.sklearn import LogisticRegressionCV
    >>> X = np.random.default_rng(0).standard_normal((60, 3))
    >>> model = LogisticRegressionCV(Cs=5, l1_ratios=[1.0]).fit(X, X[:, 0] > 0)
    >>> model.scores_[True].shape, model.predict(X[:3]) == (X[:3, 0] > 0)
    ((5, 5, 1), array([ True,  True,  True]))
    """

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, **params):
        """Choose C and l1_ratio by cross-validation, then fit all rows with them.

        Parameters
        ----------
        X, y, sample_weight
            As in `LogisticRegression.fit`; weights count in the score, too.
        **params : dict
            For the splitter and the scorer, as in scikit-learn.

        Returns
        -------
        LogisticRegressionCV
            Itself.
        """
        _raise_for_params(params, self, "fit")
        X, y = validate_data(self, X, y, accept_sparse="csc", dtype=[np.float64, np.float32])
        folds = Folds(self, X, y, sample_weight, params)
        self.classes_, self.Cs_, self.l1_ratios_ = folds.classes, folds.Cs, np.array(folds.ratios)
        found = [None] * len(folds.pairs)
        run(folds, folds.pairs, found, cores(self.n_jobs), bool(self.verbose), "fold")
        scores, coefs, epochs = (np.stack(part) for part in zip(*found, strict=True))  # (folds, Cs, ratios, ...)
        best = np.unravel_index(np.argmax(scores.sum(0)), scores.shape[1:])
        if self.refit:
            self.C_, self.l1_ratio_ = self.Cs_[[best[0]]], self.l1_ratios_[[best[1]]]
            folds.fit(float(self.C_[0]), float(self.l1_ratio_[0]))
        else:
            each = np.array([np.unravel_index(np.argmax(table), table.shape) for table in scores])
            self.C_, self.l1_ratio_ = self.Cs_[each[:, [0]]].mean(0), self.l1_ratios_[each[:, [1]]].mean(0)
            w = np.mean([one[tuple(place)] for one, place in zip(coefs, each, strict=True)], axis=0)
            self.coef_ = w[None, : X.shape[1]]
            self.intercept_ = w[X.shape[1] :] if self.fit_intercept else np.zeros(1)
        self.tabulate(scores, coefs, epochs)
        return self

    def tabulate(self, scores, coefs, epochs):
        """Set the tables of all folds, in scikit-learn's shapes."""
        if getattr(self, "use_legacy_attributes", True):
            if absent(self.l1_ratios):
                scores, coefs, epochs = scores[:, :, 0], coefs[:, :, 0], epochs[:, :, 0]
            name = self.classes_[1]
            self.scores_, self.coefs_paths_, self.n_iter_ = {name: scores}, {name: coefs}, epochs[None]
        else:
            self.C_, self.l1_ratio_ = float(self.C_[0]), float(self.l1_ratio_[0])
            self.scores_, self.n_iter_ = np.swapaxes(scores, 1, 2), np.swapaxes(epochs, 1, 2)
            self.coefs_paths_ = np.swapaxes(coefs, 1, 2)[:, :, :, None, :]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.array_api_support = False  # numpy arrays only
        return tags


class Folds:
    """The data of one fit; called with the rows of a fold: scores, coefficients and epochs of its paths."""

    def __init__(self, model, X, y, sample_weight, params):
        self.model, self.X, self.y = model, X, y
        self.classes, self.signs = two_classes(y)
        self.given = weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if model.class_weight is not None:
            each = {"classes": self.classes, "y": y, "sample_weight": sample_weight}
            weight = weight * compute_class_weight(model.class_weight, **each)[(self.signs > 0).astype(int)]
        self.weight = weight
        self.Cs = np.logspace(-4, 4, model.Cs) if np.ndim(model.Cs) == 0 else np.asarray(model.Cs, dtype=np.float64)
        self.ratios = shares(model)
        scoring = None if absent(model.scoring) else model.scoring
        self.scorer = LogisticRegression.score if scoring is None else get_scorer(scoring)
        split, self.params = {}, dict(params)
        if _routing_enabled():
            routed = process_routing(model, "fit", sample_weight=sample_weight, **params)
            split, self.params = routed.splitter.split, routed.scorer.score
        elif sample_weight is not None:
            self.params["sample_weight"] = self.given
        self.pairs = list(check_cv(model.cv, y, classifier=True).split(X, y, **split))

    def __call__(self, train, test):
        """The paths of one fold, one for each l1_ratio."""
        kept = np.bincount(train, minlength=len(self.y)) * self.weight
        found = [self.path(ratio, kept, test) for ratio in self.ratios]
        return tuple(np.stack(part, axis=1) for part in zip(*found, strict=True))

    def path(self, ratio, kept, test):
        """Scores (n_cs,), coefficients with intercept (n_cs, p or p + 1), and epochs (n_cs,), in the order of Cs."""
        model = self.model
        found = path.__wrapped__(
            self.X,
            self.signs,
            Logistic(),
            l1_ratio=ratio,
            alphas=1 / (self.Cs * kept.sum()),
            sample_weight=kept,
            fit_intercept=bool(model.fit_intercept),
            tol=_estimators.aim(model.tol),
        )
        allowed = _estimators.slack(model.tol) * found.tolerance
        if found.gap.max() > allowed:
            text = f"{_estimators.NOT_CONVERGED} Duality gap: {found.gap.max():.3e}, tolerance: {allowed:.3e}"
            warnings.warn(text, _estimators.ConvergenceWarning, stacklevel=2)
        place = np.argsort(np.argsort(self.Cs, kind="stable"), kind="stable")  # the path's alphas descend
        W = np.vstack([found.coef, found.intercept])[:, place].T
        scores = np.array([self.score(w, test) for w in W])
        return scores, W if model.fit_intercept else W[:, :-1], np.full(len(W), found.n_iter, dtype=np.int32)

    def score(self, w, rows):
        """The score of these coefficients on these rows."""
        probe = LogisticRegression()
        probe.classes_, probe.coef_, probe.intercept_ = self.classes, w[None, :-1], w[-1:]
        mine = {
            name: value[rows] if np.shape(value)[:1] == self.y.shape else value for name, value in self.params.items()
        }
        X = self.X.tocsr() if hasattr(self.X, "tocsr") else self.X
        return self.scorer(probe, X[rows], self.y[rows], **mine)

    def fit(self, C, ratio):
        """The fit to all rows."""
        names = ("tol", "fit_intercept", "class_weight", "max_iter")
        options = {name: getattr(self.model, name) for name in names}
        one = LogisticRegression(penalty="elasticnet", C=C, l1_ratio=ratio, **options).fit(self.X, self.y, self.given)
        for name in ("coef_", "intercept_", "dual_gap_"):
            setattr(self.model, name, getattr(one, name))


def absent(value):
    """Was this parameter left out?"""
    return value is None or isinstance(value, str) and value in DEFAULTS


def shares(model):
    """The shares of the L1 norm to choose from."""
    fixed = {"l1": [1.0], "l2": [0.0]}.get(model.penalty)
    if fixed is not None or absent(model.l1_ratios) and model.penalty != "elasticnet":
        return fixed or [0.0]
    ratios = model.l1_ratios
    if absent(ratios) or len(ratios) == 0 or not all(isinstance(r, numbers.Real) and 0 <= r <= 1 for r in ratios):
        raise ValueError(f"l1_ratios must be an array-like of numbers between 0 and 1; got (l1_ratios={ratios!r})")
    return [float(ratio) for ratio in ratios]
