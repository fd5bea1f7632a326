"""celery: tasks, chords, groups, retries, priorities and revocations by several workers, one of which is killed.

``python -m tests.apps.celery --count 1000`` runs it on redtool and on a real server.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections import Counter
from random import Random
from typing import Any

from celery import Celery, Task, chain, chord, group
from celery.result import AsyncResult, GroupResult
from redis import Redis

from tests.apps.stage import Figures, Stage, main

SEEN = 2  # the database in which attempts are counted
VISIBLE = 5  # seconds after which a task nobody has acknowledged is given to another worker
KINDS = ("plain",) * 8 + ("retried", "failing", "later", "chained", "mapped", "chord", "group", "ranked")

Result = AsyncResult | GroupResult

app = Celery("redtool", broker=os.environ.get("SERVER_URL"), backend=os.environ.get("SERVER_URL"))
app.conf.update(
    task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1, result_expires=3600,
    broker_connection_retry_on_startup=True, result_extended=True, worker_send_task_events=True,
    broker_transport_options={"visibility_timeout": VISIBLE, "unacked_restore_interval": 1,
                              "unacked_restore_throttle": 1, "queue_order_strategy": "priority",
                              "priority_steps": [0, 3, 6, 9], "sep": ":"},
)  # fmt: skip


def _attempt(task: Task) -> int:
    """Which attempt at the running task this is."""
    with Redis.from_url(os.environ["SERVER_URL"], db=SEEN) as client:
        return int(client.incr(f"attempt:{task.request.id}"))


@app.task(bind=True)
def add(self: Task, a: int, b: int) -> int:
    _attempt(self)
    return a + b


@app.task(bind=True)
def total(self: Task, numbers: list[int]) -> int:
    _attempt(self)
    return sum(numbers)


@app.task(bind=True, max_retries=3)
def fail_until(self: Task, attempt: int, a: int, b: int) -> int:
    if _attempt(self) < attempt:
        raise self.retry(countdown=0, exc=RuntimeError("not yet"), max_retries=2)
    return a + b


@app.task(bind=True, rate_limit="20/s")
def slowly(self: Task, a: int, b: int) -> int:
    _attempt(self)
    return a + b


@app.task(bind=True)
def sleep(self: Task) -> None:
    _attempt(self)
    time.sleep(3600)


@app.task(bind=True)
def kill_worker(self: Task, a: int, b: int) -> int:
    """Take the whole worker down in the middle of its task, at the first attempt.

    A worker has one task at a time (-c 1): kombu itself loses what a killed worker has popped and not yet noted.
    """
    if _attempt(self) == 1:
        os.killpg(0, signal.SIGKILL)
    return a + b


@app.task(bind=True)
def kill_child(self: Task, a: int, b: int) -> int:
    """End the process of the task alone, at the first attempt."""
    if _attempt(self) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return a + b


def _called(result: AsyncResult) -> bool:
    with Redis.from_url(os.environ["SERVER_URL"], db=SEEN) as client:
        return bool(client.exists(f"attempt:{result.id}"))


def _send(kind: str, number: int, rng: Random) -> Result:
    a, b = number, rng.randrange(1000)
    if kind == "retried":
        return fail_until.delay(2, a, b)
    if kind == "failing":
        return fail_until.delay(9, a, b)
    if kind == "later":
        return add.apply_async((a, b), countdown=1)
    if kind == "chained":
        return chain(add.s(a, b), add.s(1), add.s(2)).delay()
    if kind == "mapped":
        return add.starmap([(a, b), (1, 2)]).delay()
    if kind == "chord":
        return chord([add.s(a, n) for n in range(5)], total.s()).delay()
    if kind == "group":
        return group(add.s(a, n) for n in range(5)).delay()
    if kind == "ranked":
        return add.apply_async((a, b), priority=rng.choice((0, 3, 6, 9)))
    tasks: dict[str, Any] = {"kill_worker": kill_worker, "kill_child": kill_child, "slowly": slowly}
    return tasks.get(kind, add).delay(a, b)


def play(stage: Stage) -> Figures:
    """Run so many tasks of celery, with workers killed, and count how they ended."""
    os.environ["SERVER_URL"] = stage.url
    app.conf.update(broker_url=stage.url, result_backend=stage.url)
    try:
        return _play(stage)
    finally:
        gc.collect()  # results speak to the server when they go
        app.close()


def _play(stage: Stage) -> Figures:
    rng = Random(stage.seed)
    kinds = [rng.choice(KINDS) for _ in range(stage.count)]
    rare = ("kill_worker", "kill_child", "slowly", "slowly", "slowly")
    for place, kind in zip(rng.sample(range(stage.count), len(rare)), rare, strict=True):
        kinds[place] = kind
    module = "tests.apps.celery"
    words = (sys.executable, "-m", "celery", "-A", module, "worker", "-c", "1", "--loglevel", "warning", "-n")
    workers = [stage.start(*words, f"w{n}@here") for n in range(stage.crew)]
    results = [_send(kind, number, rng) for number, kind in enumerate(kinds)]

    def ended() -> bool:
        for dead in [worker for worker in workers if worker.poll() is not None]:
            workers.remove(dead)
            workers.append(stage.start(*words, f"w{len(stage.workers)}@here"))
        return all(result.ready() for result in results)

    stage.until(ended, "all tasks have ended")
    figures = _figures(stage, results) | _commands(stage)
    figures["workers killed"] = len(stage.workers) - stage.crew
    for worker in workers:
        worker.terminate()
    stage.until(lambda: all(worker.poll() is not None for worker in workers), "workers heed SIGTERM")
    with stage.client() as client:
        figures |= {"left in queues": client.llen("celery"), "unacknowledged": client.zcard("unacked_index")}
    return figures


def _commands(stage: Stage) -> Figures:
    """Speak to the workers over their mailboxes: ping, revoke, terminate, what they listen to."""
    both: dict[str, Any] = {"limit": stage.crew, "timeout": 20}  # as soon as all have answered
    later = add.apply_async((1, 2), countdown=3600)
    stale = add.apply_async((1, 2), countdown=1, expires=0.1)
    long = sleep.delay()
    stage.until(lambda: _called(long), "the long task runs")
    app.control.revoke(later.id, reply=True, **both)
    app.control.revoke(long.id, terminate=True, reply=True, **both)
    revoked = app.control.inspect(**both).revoked() or {}
    stage.until(lambda: stale.ready() and long.ready(), "a stale and a terminated task end")
    listening = app.control.inspect(**both).active_queues() or {}
    return {
        "pings": len(app.control.ping(**both)),
        "workers that know of it": sum(later.id in ids for ids in revoked.values()),
        "stale": stale.state, "terminated": long.state,
        "listening": [queue["name"] for queues in listening.values() for queue in queues],
    }  # fmt: skip


def _figures(stage: Stage, results: list[Result]) -> Figures:
    single = [result for result in results if isinstance(result, AsyncResult)]
    groups = [result for result in results if isinstance(result, GroupResult)]
    states = Counter(result.state for result in single)
    with stage.client(db=SEEN) as client:
        tasks = sum(1 for _ in client.scan_iter("attempt:*"))
    numbers = [result.get() for result in single if result.state == "SUCCESS"]
    return {
        "sent": len(results), "succeeded": states["SUCCESS"], "failed": states["FAILURE"],
        "groups done": sum(result.successful() for result in groups),
        "sum of results": sum(sum(one) if isinstance(one, list) else one for one in numbers),
        "sum of groups": sum(sum(result.join()) for result in groups),
        "tasks": tasks,
    }  # fmt: skip


if __name__ == "__main__":
    from tests.apps import celery as module

    main(module.play)
