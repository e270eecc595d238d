"""Runs a problem: every contestant in a process of its own, up its ladder, then the best of each in turn."""

import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from race import contestants, files, judge

TARGETS = (1e-4, 1e-6, 1e-9)
HERE = Path(__file__).parent
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM", "BLIS")}


class Failure(Exception):
    """What a contestant answered instead of a result."""


class Process:
    """A worker; the line protocol is in worker.py."""

    def __init__(self, name, program):
        self.name, self.program, self.folder, self.state = name, program, None, ""
        self.start()

    def start(self):
        script = contestants.SCRIPTS.get(self.name)
        script = [script] if script else ["-m", "race.worker", self.name]
        try:
            self.process = subprocess.Popen(
                [self.program, *script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                bufsize=1,
                cwd=HERE.parent,
                env=os.environ | ONE_THREAD,
            )
        except OSError as problem:
            self.process, self.state = None, f"absent {problem.strerror}: {self.program}"
            return
        self.lines = queue.Queue()
        threading.Thread(target=self.listen, args=(self.process.stdout, self.lines), daemon=True).start()

    def greeted(self):
        """The worker, once it has said whether it can run: they start side by side, and imports take seconds."""
        if self.process:
            self.state = self.hear(120)
        return self

    @staticmethod
    def listen(stream, lines):
        for line in stream:
            lines.put(line.strip())
        lines.put("error the process ended")

    def hear(self, timeout):
        try:
            return self.lines.get(timeout=timeout)
        except queue.Empty:
            return f"error more than {timeout:.0f} s"

    @property
    def ready(self):
        return self.state.startswith("ready")

    def ask(self, *words, timeout=600.0):
        """The words of the answer; a worker that hangs or dies is replaced."""
        try:
            self.process.stdin.write("\t".join(map(str, words)) + "\n")
            said = self.hear(timeout)
        except OSError:
            said = "error the process ended"
        if said.startswith("ok"):
            return said.split()[1:]
        if self.process.poll() is not None or "more than" in said or "ended" in said:
            self.stop()
            self.start()
            if self.greeted().ready and words[0] != "load" and self.folder:
                self.load(self.folder)
        raise Failure(said.removeprefix("error "))

    def load(self, folder):
        self.folder = folder
        self.ask("load", folder)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()


@dataclass
class Run:
    """One contestant at one setting."""

    contestant: str
    variant: str
    tol: float
    seconds: float
    passes: int
    objective: np.ndarray = field(repr=False)
    error: float = np.inf

    @property
    def label(self):
        return f"{self.contestant}-{self.variant}" if self.variant else self.contestant

    def record(self):
        return {name: getattr(self, name) for name in ("label", "tol", "seconds", "passes", "error")}


@dataclass
class Limits:
    """repeats of each setting that counts; seconds for one run, and for all repeats of one contestant.

    A run `patience` times slower than what took another peer to the last accuracy ends a ladder too:
    tightening it further will not make it faster.
    """

    repeats: int = 5
    run: float = 10.0
    contestant: float = 15.0
    patience: float = 5.0
    reference: float = 300.0  # of runs that only look for the optimum


class Heat:
    """One problem, all contestants."""

    def __init__(self, task, processes, limits, log):
        self.task, self.limits, self.log = task, limits, log
        self.processes = {name: process for name, process in processes.items() if process.ready}
        self.null = judge.null(task)
        self.best = self.null.copy()  # F*, the least objective of anybody for each alpha
        self.bound = np.full(len(self.null), -np.inf)  # what nobody can go below
        self.runs, self.failures = [], {}

    def race(self):
        """Fills `runs`; returns `unknown`."""
        with tempfile.TemporaryDirectory() as folder:
            answers = Path(folder, "answers")
            answers.mkdir()
            files.write_task(folder, self.task)
            for name, process in self.processes.items():
                found = contestants.variants(name, self.task)
                if found:
                    process.load(folder)
                for variant, tolerances in found.items():
                    self.climb(process, variant, tolerances, answers)
            if not self.task.convex:
                self.best = self.shared()
            self.refer(answers)
            for run in self.runs:
                run.error = self.excess(run)
            self.repeat()
        return self.unknown()

    def shared(self):
        """Not convex: the least objective that each contestant reached, and of these the greatest.

        Everybody ends in a stationary point of his own; the ratio is that of the times to one that all reach.
        """
        own = {}
        for run in self.runs:
            own[run.contestant] = np.minimum(own.get(run.contestant, np.inf), run.objective)
        return np.max(list(own.values()), axis=0)

    def unknown(self):
        """How far below F* the optimum may be, relative to F(0)."""
        if not self.task.convex:
            return 0.0
        return float(((self.best - self.bound) / self.null).max())

    def refer(self, folder):
        """As long as the optimum is not known to the last accuracy: tightest runs, which do not count, best first."""
        end, tried = time.monotonic() + self.limits.reference, set()
        for run in sorted(self.runs, key=self.excess):
            left = end - time.monotonic()
            if self.unknown() < TARGETS[-1] / 10 or left < 0:
                return
            tightest = contestants.variants(run.contestant, self.task)[run.variant][-1]
            if (run.contestant, run.variant) in tried or run.tol == tightest:
                continue
            tried.add((run.contestant, run.variant))
            self.log(f"    looking for the optimum: {run.label}")
            try:
                self.processes[run.contestant].ask("fit", run.variant, tightest, 1, folder, timeout=left)
                self.judged(folder)
            except Failure as failure:
                self.log(f"    {failure}")

    def excess(self, run):
        return float(((run.objective - self.best) / self.null).max())

    def climb(self, process, variant, tolerances, folder):
        """Down the ladder of tolerances, until nothing is left to gain or the time is over."""
        spent, tol = 0.0, tolerances[0]
        try:
            # compilation, page faults: not timed
            process.ask("fit", variant, tolerances[0], 1, timeout=60 + 5 * self.limits.run)
            for tol in tolerances:
                words = process.ask("fit", variant, tol, 1, folder, timeout=10 + 5 * self.limits.run)
                run = Run(process.name, variant, tol, float(words[0]), int(words[1]), self.judged(folder))
                self.runs.append(run)
                self.log(f"    {run.label} {tol:.0e}: {run.seconds:.4g} s")
                spent += run.seconds
                exact = self.excess(run) < 1e-12 and process.name != "l1l2fast"
                if exact or run.seconds > self.longest() or spent > 3 * self.limits.run:
                    break
        except Failure as failure:
            self.failures[f"{process.name} {variant} {tol:.0e}"] = str(failure)
            self.log(f"    {process.name} {variant}: {failure}")

    def longest(self):
        """Seconds of a run after which a ladder ends."""
        done = [r.seconds for r in self.runs if r.contestant != "l1l2fast" and self.excess(r) <= TARGETS[-1]]
        return min([self.limits.run] + [self.limits.patience * seconds for seconds in done])

    def judged(self, folder):
        coef, intercept = files.read_answer(folder, self.task.X.shape[1])
        if coef.shape[1] != len(self.task.alphas) or not np.isfinite(coef.data).all():
            raise Failure("not an answer to every alpha")
        objective = judge.objectives(self.task, coef, intercept)
        self.best = np.minimum(self.best, objective)
        if ((objective - self.best) / self.null).max() < 1e-11:
            self.bound = np.maximum(self.bound, judge.bounds(self.task, coef, intercept))
        return objective

    def repeat(self):
        """The settings that may be the quickest to an accuracy, in turn, the least time of each kept."""
        chosen = [choice for name in self.processes for choice in self.candidates(name)]
        for turn in range(self.limits.repeats):
            for run, budget in chosen:
                if turn and turn * run.seconds > budget:
                    continue
                count = int(np.clip(0.05 / run.seconds, 1, 20))
                try:
                    words = self.processes[run.contestant].ask("fit", run.variant, run.tol, count)
                    run.seconds = min(run.seconds, float(words[0]))
                except Failure as failure:
                    self.log(f"    {run.label}: {failure}")

    def candidates(self, name):
        """A contestant's three quickest settings to each accuracy, with seconds for each: if they can still win."""
        found = {}
        for target in TARGETS:
            lead = self.quickest(target, name == "l1l2fast")
            mine = [run for run in self.runs if run.contestant == name and run.error <= target]
            for run in sorted(mine, key=lambda run: run.seconds)[:3]:
                if run.seconds < 3 * lead.seconds:
                    found[id(run)] = run
        return [(run, self.limits.contestant / len(found)) for run in found.values()]

    def quickest(self, target, mine):
        """The quickest run within an accuracy, of l1l2fast or of the others; None if there is none."""
        within = [r for r in self.runs if r.error <= target and (r.contestant == "l1l2fast") == mine]
        return min(within, key=lambda run: run.seconds, default=None)


def processes(names, programs):
    """Workers by name; a program may be given for each, else this Python, or R's Rscript."""
    started = [Process(n, programs.get(n, "Rscript" if n in contestants.SCRIPTS else sys.executable)) for n in names]
    return {process.name: process.greeted() for process in started}
