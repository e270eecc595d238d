"""The way along the path of an L1 penalty under lines: from corner to corner, in pivots.

The rows and columns of `priced` are laid out once. As alpha falls, the last corner stays where it is and only its
prices change; a few pivots make it optimal again.
"""

from l1l2fast import priced
from l1l2fast.absolute import Lines
from l1l2fast.steps import Steps, weaker


class Corners(Steps):
    """The absolute and the pinball loss with L1: one corner for each alpha."""

    def __init__(self, problem):
        self.last = self.known = None
        *_, self.largest, self.n_live = problem.sums.level()
        super().__init__(problem)

    def at(self, alpha, start, trail=None):
        """The answer at one strength of the penalty."""
        problem = weaker(self.problem, alpha, start=start, started=True)
        lines = Lines(problem, self.largest, self.n_live)
        if not priced.suits(lines):
            return super().at(alpha, start)
        if self.known is None:
            self.known = priced.table(problem, lines)
        live, small = self.known
        down, up = lines.units.prices()
        small = small._replace(down=down, up=up)
        found = priced.vertex(small, priced.empty(small) if self.last is None else priced.again(small, self.last))
        answer = priced.certified(problem, lines, self.tolerance, live, found)
        if answer.gap > self.tolerance:
            return super().at(alpha, start)
        self.last = found
        self.passes += answer.n_passes
        self.epochs += answer.n_iter
        return answer
