"""The losses of the race, for the course and the judge: plain formulas, column by column of the predictions f.

Each has value, gradient and conjugate (l*(y, g) = sup_f g f - l(y, f), infinite outside of its domain), and
`level`, the constant that is best to add to f.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import entr, expit

HAIR = 1e-14  # by which rounding may take a slope out of its domain


class Loss:
    def __init__(self, parameter=None):
        self.parameter = parameter

    def level(self, y, f):
        """One constant for each column of f, at which the gradients sum to zero."""
        return np.array([self.root(y, f[:, k]) for k in range(f.shape[1])])

    def root(self, y, f):
        def slope(c):
            return self.gradient(y, f + c).mean()

        reach = 1.0
        while slope(-reach) > 0 or slope(reach) < 0:
            reach *= 4
        return brentq(slope, -reach, reach, xtol=1e-300, rtol=1e-15, maxiter=5000)


class Squared(Loss):
    """(y - f)^2 / 2."""

    def value(self, y, f):
        return (y - f) ** 2 / 2

    def gradient(self, y, f):
        return f - y

    def conjugate(self, y, g):
        return g * (g / 2 + y)

    def level(self, y, f):
        return y.mean() - f.mean(axis=0)


class Pinball(Loss):
    """r (quantile - [r < 0]), r = y - f."""

    def value(self, y, f):
        return np.maximum(self.parameter * (y - f), (self.parameter - 1) * (y - f))

    def gradient(self, y, f):
        return np.where(y > f, -self.parameter, 1 - self.parameter)

    def conjugate(self, y, g):
        return np.where((g >= -self.parameter) & (g <= 1 - self.parameter), g * y, np.inf)

    def level(self, y, f):
        return np.quantile(y - f[:, 0], np.atleast_1d(self.parameter), method="inverted_cdf")


class Huber(Loss):
    """r^2 / 2 up to |r| = delta, a line beyond."""

    def value(self, y, f):
        r, delta = abs(y - f), self.parameter
        return np.where(r <= delta, r * r / 2, delta * (r - delta / 2))

    def gradient(self, y, f):
        return np.clip(f - y, -self.parameter, self.parameter)

    def conjugate(self, y, g):
        return np.where(abs(g) <= self.parameter * (1 + HAIR), g * (g / 2 + y), np.inf)


class Logistic(Loss):
    """log(1 + exp(-y f)), y = -1 or 1."""

    def value(self, y, f):
        return np.logaddexp(0, -y * f)

    def gradient(self, y, f):
        return -y * expit(-y * f)

    def conjugate(self, y, g):
        a = -g / y
        return np.where((a >= -HAIR) & (a <= 1 + HAIR), -entr(np.clip(a, 0, 1)) - entr(np.clip(1 - a, 0, 1)), np.inf)


LOSSES = {"squared": Squared, "pinball": Pinball, "huber": Huber, "logistic": Logistic}


def loss_of(task):
    return LOSSES[task.loss](task.alphas if task.kind == "process" else task.parameter)
