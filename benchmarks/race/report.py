"""What the race says: a table for each problem, geometric means, JSON and a picture."""

import csv
import json

import numpy as np

from race.runner import TARGETS


def rows(heat):
    """For each accuracy: our quickest run, the fastest peer's and the ratio of their times (above 1: we are faster).

    There is no ratio where the optimum itself is not known so well.
    """
    found = []
    for target in TARGETS:
        ours, peer = heat.quickest(target, True), heat.quickest(target, False)
        ratio = peer.seconds / ours.seconds if ours and peer and heat.unknown() < target else None
        found.append(
            {"accuracy": target, "ours": ours and ours.record(), "peer": peer and peer.record(), "ratio": ratio}
        )
    return found


def seconds(value):
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e6:.3g} us"


def table(found):
    lines = [
        f"  {'within':>7}  {'ours':>9} {'error':>8} {'passes':>6}  {'fastest peer':<20} {'time':>9} {'error':>8}  ratio"
    ]
    for row in found:
        ours, peer = row["ours"], row["peer"]
        left = (
            f"{seconds(ours['seconds']):>9} {ours['error']:8.1e} {ours['passes']:6d}"
            if ours
            else f"{'not reached':>25}"
        )
        right = f"{peer['label']:<20} {seconds(peer['seconds']):>9} {peer['error']:8.1e}" if peer else f"{'nobody':<39}"
        ratio = f"{row['ratio']:6.2f}" if row["ratio"] else "     -"
        lines.append(f"  {row['accuracy']:7.0e}  {left}  {right} {ratio}")
    return "\n".join(lines)


def peers(heat):
    """The least time of every contestant to each accuracy, one line each."""
    lines = []
    for name in heat.processes:
        mine = [[r.seconds for r in heat.runs if r.contestant == name and r.error <= target] for target in TARGETS]
        if any(mine):
            line = f"    {name:<10}" + "".join(f"{seconds(min(times)) if times else '-':>10}" for times in mine)
            if not heat.task.convex:
                line += f"   F {min(float(r.objective[0]) for r in heat.runs if r.contestant == name):.10g}"
            lines.append(line)
    return "\n".join(lines)


def summary(results):
    """Geometric means of the ratios, the worst and the best by name."""
    lines = []
    for k, target in enumerate(TARGETS):
        ratios = {name: result["rows"][k]["ratio"] for name, result in results.items() if result["rows"][k]["ratio"]}
        if ratios:
            worst, best = min(ratios, key=ratios.get), max(ratios, key=ratios.get)
            mean = np.exp(np.mean(np.log(list(ratios.values()))))
            ends = f"worst {ratios[worst]:.2f} ({worst}), best {ratios[best]:.2f} ({best})"
            lines.append(f"within {target:.0e}: geometric mean {mean:.2f} over {len(ratios)} problems; {ends}")
    return "\n".join(lines)


def write(results, versions, folder):
    (folder / "race.json").write_text(json.dumps({"versions": versions, "problems": results}, indent=1) + "\n")
    with open(folder / "race.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["problem", *(f"within {target:.0e}" for target in TARGETS)])
        table.writerows([name, *map(verdict, result["rows"])] for name, result in results.items())


def verdict(row):
    """One accuracy in a few words: the ratio, our time, the fastest peer and its time."""
    ours, peer = row["ours"], row["peer"]
    mine = seconds(ours["seconds"]) if ours else "not reached"
    other = f"{peer['label']} {seconds(peer['seconds'])}" if peer else "nobody else"
    ratio = f"**{row['ratio']:.2f}**: " if row["ratio"] else ""
    return f"{ratio}{mine}; {other}"


def picture(results, file):
    """A row per problem, a dot per accuracy: to the right of the line at 1, this library is faster."""
    try:
        from matplotlib import use
    except ImportError:
        return False
    use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib import ticker

    names = list(results)[::-1]
    figure, axes = plt.subplots(figsize=(8, 1.5 + 0.28 * len(names)), layout="constrained")
    for k, (target, marker) in enumerate(zip(TARGETS, "os^")):
        ratios = [results[name]["rows"][k]["ratio"] or np.nan for name in names]
        axes.plot(ratios, range(len(names)), marker, label=f"within {target:.0e}", alpha=0.8)
    axes.axvline(1, color="black", linewidth=1)
    axes.set(xscale="log", xlabel="time of the fastest peer / time of l1l2fast", yticks=range(len(names)))
    axes.set_yticklabels(names)
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(file, dpi=100)
    plt.close(figure)
    return True
