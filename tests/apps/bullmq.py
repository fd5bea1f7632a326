"""BullMQ (Node.js): jobs, flows, schedulers and rate limits by several workers, two of which kill themselves.

``python -m tests.apps.bullmq --count 1000`` runs it on redtool and on a real server.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests import npm
from tests.apps.stage import Figures, Stage, main


def play(stage: Stage) -> Figures:
    """Run so many jobs of BullMQ, with workers killed, and count how they ended."""
    script = str(npm.lay(Path(__file__).with_name("bullmq.mjs"), stage.directory))
    words = ("node", script, "worker", str(stage.port))
    workers = [stage.start(*words) for _ in range(stage.crew)]
    producer = stage.start("node", script, "producer", str(stage.port), str(stage.count), str(stage.seed))
    log = stage.directory / f"worker-{stage.crew}.log"

    def ended() -> bool:
        for dead in [worker for worker in workers if worker.poll() is not None]:
            workers.remove(dead)
            workers.append(stage.start(*words))
        return producer.poll() is not None

    stage.until(ended, "the producer has seen all jobs end")
    if producer.returncode:
        raise RuntimeError(f"the producer failed:\n{stage.said()}")
    figures: Figures = json.loads(log.read_text())
    return figures | {"workers killed": len(stage.workers) - stage.crew - 1}


if __name__ == "__main__":
    from tests.apps import bullmq as module

    main(module.play)
