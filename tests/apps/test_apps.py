"""Applications run on redtool's server as on a real one, workers that die in mid-job included."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

from tests.apps import bullmq, celery, django_redis, rq
from tests.apps.stage import REDTOOL, Figures, run, stage
from tests.servers import RealServer

COUNT = 40
# What the same runs give on redis-server 7.0.15: python -m tests.apps.NAME --count 40
ON_REDIS: dict[str, Figures] = {"rq": {"jobs": 40,
        "finished": 37,
        "failed": 3,
        "in failed registries": 3,
        "sum of results": 23535,
        "attempts": 46,
        "callbacks": 2,
        "metas": 2,
        "jobs in group": 2,
        "left in queues": 0,
        "duplicates refused": 1,
        "repeated": 3,
        "workers killed": 1,
        "shut down by command": 2},
 "celery": {"sent": 40,
            "succeeded": 35,
            "failed": 1,
            "groups done": 4,
            "sum of results": 19368,
            "sum of groups": 460,
            "tasks": 70,
            "pings": 2,
            "workers that know of it": 2,
            "stale": "REVOKED",
            "terminated": "REVOKED",
            "listening": ["celery", "celery"],
            "workers killed": 1,
            "left in queues": 1,
            "unacknowledged": 0},
 "bullmq": {"added": 46,
            "answer": 42,
            "completed": 41,
            "failed": 5,
            "heard as completed": 37,
            "sum of results": 18162,
            "with a log and progress": 1,
            "ticks": 3,
            "told": 1,
            "parents done": 0,
            "paused": {"paused": 0, "waiting": 1, "prioritized": 1, "delayed": 1},
            "drained": 0,
            "cleaned": 5,
            "workers": 2,
            "left": [],
            "workers killed": 2}}  # fmt: skip


def test_every_job_ends_as_on_a_real_server() -> None:
    """All at once, since they mostly wait for what seems dead to be given up."""
    plays = {"rq": rq.play, "celery": celery.play}
    if shutil.which("node") and shutil.which("npm"):
        plays["bullmq"] = bullmq.play
    with ThreadPoolExecutor() as pool:
        runs = {name: pool.submit(run, play, REDTOOL, COUNT) for name, play in plays.items()}
    assert {name: one.result() for name, one in runs.items()} == {name: ON_REDIS[name] for name in plays}


def test_djangos_cache_is_answered_as_by_a_real_server(valkey: RealServer) -> None:
    with stage(REDTOOL, COUNT) as one:
        ours = django_redis.play(one)
    assert len(ours) > 300
    assert ours == django_redis.answers(f"redis://127.0.0.1:{valkey.port}/1", COUNT)
