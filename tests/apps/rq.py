"""rq: jobs of every kind by several workers, some of which are killed in the middle of a job.

``python -m tests.apps.rq --count 1000`` runs it on redtool and on a real server.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import rq
from rq.command import send_shutdown_command
from rq.exceptions import DuplicateJobError
from rq.group import Group
from rq.rate_limit import RateLimit
from rq.registry import FailedJobRegistry
from rq.repeat import Repeat

from tests.apps.stage import Figures, Stage, main

KINDS = ("plain",) * 8 + ("retried", "failing", "scheduled", "dependent", "limited", "grouped", "meta")


class Worker(rq.Worker):
    """Gives a job up as abandoned after seconds, not minutes, without a sign of life."""

    def get_heartbeat_ttl(self, job: rq.job.Job, working_time: float = 0.0) -> int:
        return 5


def _attempt() -> int:
    """Which attempt at the running job this is."""
    job = rq.get_current_job()
    assert job is not None and job.connection is not None
    return int(job.connection.incr(f"attempt:{job.id}"))


def add(a: int, b: int) -> int:
    _attempt()
    return a + b


def fail_until(attempt: int, a: int, b: int) -> int:
    if _attempt() < attempt:
        raise RuntimeError("not yet")
    return a + b


def add_to_dependency(a: int) -> int:
    _attempt()
    job = rq.get_current_job()
    assert job is not None and job.dependency is not None
    return a + int(job.dependency.return_value())


def note(a: int, b: int) -> int:
    _attempt()
    job = rq.get_current_job()
    assert job is not None
    job.meta["seen"] = a
    job.save_meta()
    return a + b


def kill_worker(a: int, b: int) -> int:
    """Take the worker down in the middle of its job, at the first attempt."""
    if _attempt() == 1:
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return a + b


def kill_horse(a: int, b: int) -> int:
    """End the process of the job alone, at the first attempt."""
    if _attempt() == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return a + b


def succeeded(job: rq.job.Job, connection: Any, result: object) -> None:
    connection.incr("callbacks")


def _enqueue(queues: dict[str, rq.Queue], kind: str, number: int, rng: Random, jobs: list[rq.job.Job]) -> rq.job.Job:
    queue = queues[rng.choice(("high", "default"))]
    a, b = number, rng.randrange(1000)
    more: dict[str, Any] = {"job_id": f"job-{number}", "result_ttl": 3600}
    module = "tests.apps.rq"
    if kind == "retried":
        return queue.enqueue(f"{module}.fail_until", 2, a, b, retry=rq.Retry(max=3), **more)
    if kind == "failing":
        return queue.enqueue(f"{module}.fail_until", 9, a, b, retry=rq.Retry(max=1), **more)
    if kind == "scheduled":
        return queue.enqueue_in(timedelta(seconds=rng.randrange(1, 3)), f"{module}.add", a, b, **more)
    if kind == "dependent" and jobs:
        return queue.enqueue(f"{module}.add_to_dependency", a, depends_on=rng.choice(jobs), **more)
    if kind == "limited":
        return queue.enqueue(f"{module}.add", a, b, rate_limit=RateLimit("narrow", concurrency=1), **more)
    if kind == "grouped":
        data = rq.Queue.prepare_data(f"{module}.add", (a, b), **more)
        return Group.create(queue.connection, "family").enqueue_many(queue, [data])[0]
    if kind == "meta":
        return queue.enqueue(f"{module}.note", a, b, on_success=rq.Callback(f"{module}.succeeded"), **more)
    if kind in ("kill_worker", "kill_horse"):
        return queue.enqueue(f"{module}.{kind}", a, b, retry=rq.Retry(max=2), **more)
    return queue.enqueue(f"{module}.add", a, b, **more)


def play(stage: Stage) -> Figures:
    """Run so many jobs of rq, with workers killed, and count how they ended."""
    rng = Random(stage.seed)
    client = stage.client()
    queues = {name: rq.Queue(name, connection=client) for name in ("high", "default")}
    kinds = [rng.choice(KINDS) for _ in range(stage.count)]
    rare = ("kill_worker", "kill_horse", "kill_horse")
    for place, kind in zip(rng.sample(range(stage.count), len(rare)), rare, strict=True):
        kinds[place] = kind
    jobs: list[rq.job.Job] = []
    plain: list[rq.job.Job] = []
    for number, kind in enumerate(kinds):
        job = _enqueue(queues, kind, number, rng, plain)
        jobs.append(job)
        if kind == "plain":
            plain.append(job)
    refused = 0
    try:
        queues["high"].enqueue("tests.apps.rq.add", 1, 1, job_id="job-0", unique=True)
    except DuplicateJobError:
        refused = 1
    again = Repeat(times=2, interval=1)
    repeated = queues["default"].enqueue("tests.apps.rq.add", 1, 2, job_id="repeated", repeat=again)
    words = (sys.executable, "-m", "rq.cli", "worker", "--url", stage.url, "-w", "tests.apps.rq.Worker", "-q",
             "--worker-ttl", "16", "--maintenance-interval", "1", "--with-scheduler", "high", "default")  # fmt: skip
    workers = [stage.start(*words) for _ in range(stage.crew)]

    def ended() -> bool:
        for dead in [worker for worker in workers if worker.poll() is not None]:
            workers.remove(dead)
            workers.append(stage.start(*words))
        done = rq.job.Job.fetch_many([job.id for job in jobs], connection=client)
        states = Counter(job.get_status(refresh=False).value for job in done if job is not None)
        return states["finished"] + states["failed"] == len(jobs) and client.get("attempt:repeated") == b"3"

    stage.until(ended, "all jobs have ended")
    figures = _figures(stage, jobs)
    figures |= {"duplicates refused": refused, "repeated": int(client.get(f"attempt:{repeated.id}") or 0)}
    figures["workers killed"] = len(stage.workers) - stage.crew
    for one in rq.Worker.all(connection=client):
        send_shutdown_command(client, one.name)
    stage.until(lambda: all(worker.poll() is not None for worker in workers), "workers heed the shutdown command")
    figures["shut down by command"] = sum(worker.returncode == 0 for worker in workers)
    return figures


def _figures(stage: Stage, jobs: list[rq.job.Job]) -> Figures:
    client = stage.client()
    done = [job for job in rq.job.Job.fetch_many([job.id for job in jobs], connection=client) if job is not None]
    states = Counter(job.get_status(refresh=False).value for job in done)
    attempts = [int(value or 0) for value in client.mget([f"attempt:{job.id}" for job in jobs])]
    return {
        "jobs": len(jobs), "finished": states["finished"], "failed": states["failed"],
        "in failed registries": sum(FailedJobRegistry(name, connection=client).count for name in ("high", "default")),
        "sum of results": sum(job.return_value() or 0 for job in done),
        "attempts": sum(attempts), "callbacks": int(client.get("callbacks") or 0),
        "metas": sum("seen" in job.meta for job in done),
        "jobs in group": len(Group.fetch("family", client).get_jobs()) if Group.all(client) else 0,
        "left in queues": sum(rq.Queue(name, connection=client).count for name in ("high", "default")),
    }  # fmt: skip


if __name__ == "__main__":
    from tests.apps import rq as module

    main(module.play)
