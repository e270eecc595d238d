"""Which variants the contestants in R have: functions as `Contestant.variants`."""

from race.contestants.base import dense, ladder, penalised


def glmnet(task):
    if not task.convex or task.loss not in ("squared", "logistic"):
        return {}
    found = {"": ladder(3, 14) if task.kind == "ridge" else ladder(2, 15)}
    if task.kind == "fit":
        found |= {"warm5": found[""], "warm20": found[""]}
    if task.kind == "path" and dense(task) and task.loss == "squared":
        found["cov"] = found[""]
    return found


def quantreg(task):
    if task.loss != "pinball" or not task.intercept and not penalised(task):
        return {}
    if penalised(task):
        tall = task.X.shape[0] > task.X.shape[1]  # it refuses more columns than rows
        return {"lasso": ladder(4, 10)} if tall and task.kind == "fit" and task.l1_ratio == 1 else {}
    # the first has no tolerance: its end is exact
    exact = {} if task.X.size > 5e6 or task.kind == "process" else {"br": [0.0]}
    several = {"pfnb": ladder(4, 12)} if task.kind == "process" and len(task.y) > 10_000 else {}  # else it hangs
    return exact | several | {"fnb": ladder(4, 12), "pfn": ladder(4, 12)}


def conquer(task):
    if task.loss != "pinball" or not task.intercept or penalised(task):
        return {}
    # the bandwidth, as a part of the default
    widths = [1.0, 0.3, 0.1, 0.03, 0.01]
    kernels = [f"{kernel}{tight}" for kernel in ("Gaussian", "uniform", "parabolic") for tight in ("", "-tight")]
    return dict.fromkeys(kernels, widths)


VARIANTS = {"glmnet": glmnet, "quantreg": quantreg, "conquer": conquer}
