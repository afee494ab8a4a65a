"""All runs: of each workload its peers in turn, round by round, so that what changes on the machine
meanwhile meets all alike."""

import subprocess
import sys
import time

from benches import processes, results, runs
from benches.peers import Peer
from benches.results import Sample
from benches.workloads import Workload

WARM_UP = 0  # the number of the round that is not counted


class Progress:
    """On standard error: what runs, how many of how many, and how long the rest will take."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._begin = total, 0, time.monotonic()

    def begin(self, what: str) -> None:
        left = ""
        if self._done:
            seconds = (time.monotonic() - self._begin) / self._done * (self._total - self._done)
            left = f", {seconds / 60:.0f} min left" if seconds >= 60 else f", {seconds:.0f} s left"
        self._done += 1
        print(f"[{self._done}/{self._total}{left}] {what}", end="", file=sys.stderr, flush=True)

    def end(self, outcome: str, left_out: int = 0) -> None:
        """`left_out`: so many of the runs to come will not be."""
        self._total -= left_out
        print(f": {outcome}", file=sys.stderr, flush=True)


def run_once(bench: runs.Bench, workload: Workload, peer: Peer, number: int) -> Sample:
    begin = time.monotonic()
    values, failure = {}, ""
    try:
        values = runs.measure(bench, workload, peer.command(workload.program))
    except processes.Missing:
        raise
    except (processes.Failed, results.Nonsense, OSError, subprocess.SubprocessError) as problem:
        failure = str(problem)
    return Sample(workload.name, peer.name, number, time.monotonic() - begin, values, failure)


class Rounds:
    def __init__(self, bench: runs.Bench, rounds: int, warm_up: bool) -> None:
        self._bench = bench
        self._numbers = range(WARM_UP if warm_up else WARM_UP + 1, rounds + 1)
        self.samples: list[Sample] = []

    def run(self, workloads: list[Workload], peers: list[Peer]) -> None:
        having = {each: [peer for peer in peers if peer.command(each.program)]
                  for each in workloads}
        self._progress = Progress(len(self._numbers) * sum(map(len, having.values())))
        for workload, contenders in having.items():
            for number in self._numbers:
                contenders = [peer for peer in contenders if self._goes_on(workload, peer, number)]

    def _goes_on(self, workload: Workload, peer: Peer, number: int) -> bool:
        """Whether the peer takes part in the rounds that follow."""
        last = self._numbers[-1]
        self._progress.begin(f"{workload.name}, round {number} of {last}, {peer.name}")
        try:
            sample = run_once(self._bench, workload, peer, number)
        except processes.Missing as problem:
            self._progress.end(f"left out: {problem}", last - number)
            return False
        if sample.failure:
            self._progress.end(f"failed: {sample.failure}", last - number)
        else:
            self._progress.end(f"{sample.values[workload.metric]:.6g} {workload.unit}")
        if sample.failure or number != WARM_UP:
            self.samples.append(sample)
        return not sample.failure


def run(bench: runs.Bench, workloads: list[Workload], peers: list[Peer], rounds: int,
        warm_up: bool = False) -> list[Sample]:
    """Who fails, or is not installed, is left out of the rounds that follow."""
    all_rounds = Rounds(bench, rounds, warm_up)
    all_rounds.run(workloads, peers)
    return all_rounds.samples
