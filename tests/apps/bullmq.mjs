// BullMQ: a producer of jobs of every kind, and workers, some of which kill themselves in the middle of a job.
//   node bullmq.mjs worker PORT
//   node bullmq.mjs producer PORT COUNT SEED     prints its figures as JSON
import { FlowProducer, Queue, QueueEvents, UnrecoverableError, Worker } from "bullmq";
import { Redis } from "ioredis";

const [role, port, count, seed] = process.argv.slice(2);
const connection = { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null };
const patient = { connection, lockDuration: 4000, stalledInterval: 1000, maxStalledCount: 9 };

async function work() {
  const client = new Redis(connection);
  const process_ = async (job) => {
    const { a, b } = job.data;
    const attempt = await client.incr(`attempt:${job.id}`);
    if (job.name === "killer" && attempt === 1) process.kill(process.pid, "SIGKILL");
    if (job.name === "retried" && attempt < 3) throw new Error("not yet");
    if (job.name === "failing") throw new Error("never");
    if (job.name === "hopeless") throw new UnrecoverableError("never");
    if (job.name === "told") {
      await job.updateProgress(50);
      await job.log("half of it");
      await job.updateData({ a, b, seen: true });
    }
    if (job.name === "parent") {
      return Object.values(await job.getChildrenValues()).reduce((sum, value) => sum + value, a);
    }
    return a + b;
  };
  new Worker("jobs", process_, { ...patient, concurrency: 5 });
  new Worker("narrow", process_, { ...patient, concurrency: 2, limiter: { max: 20, duration: 200 } });
}

function random(state) {
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

const KINDS = [..."plain ".repeat(6).trim().split(" "), "retried", "failing", "hopeless", "delayed", "ranked", "told",
               "flow", "doubled", "last", "narrow", "bulk"];

async function add(queues, flows, kind, number, draw) {
  const { jobs, narrow } = queues;
  const data = { a: number, b: draw(1000) };
  const options = { jobId: `job-${number}` };
  switch (kind) {
    case "retried": return jobs.add(kind, data, { ...options, attempts: 4, backoff: { type: "fixed", delay: 50 } });
    case "failing": return jobs.add(kind, data, { ...options, attempts: 2 });
    case "hopeless": return jobs.add(kind, data, { ...options, attempts: 5 });
    case "delayed": return jobs.add(kind, data, { ...options, delay: 200 + draw(800) });
    case "ranked": return jobs.add(kind, data, { ...options, priority: 1 + draw(9) });
    case "last": return jobs.add(kind, data, { ...options, lifo: true });
    case "narrow": return narrow.add(kind, data, options);
    case "bulk": return jobs.addBulk([{ name: kind, data, opts: options }, { name: kind, data }]);
    case "doubled":  // the second one is refused while the first is kept
      await jobs.add(kind, data, { ...options, deduplication: { id: `only-${number}`, ttl: 3600000 } });
      return jobs.add(kind, data, { deduplication: { id: `only-${number}`, ttl: 3600000 } });
    case "flow": {
      const children = [0, 1, 2].map((n) => ({ name: "child", queueName: n ? "jobs" : "narrow", data: { a: n, b: number } }));
      return flows.add({ name: "parent", queueName: "jobs", data, opts: options, children });
    }
    default: return jobs.add(kind, data, options);
  }
}

async function produce() {
  const draw = random(Number(seed));
  const queues = { jobs: new Queue("jobs", { connection }), narrow: new Queue("narrow", { connection }) };
  const flows = new FlowProducer({ connection });
  const events = new QueueEvents("jobs", { connection, lastEventId: "0" });
  const heard = new Set();
  events.on("completed", ({ jobId }) => heard.add(jobId));
  await queues.jobs.trimEvents(0);

  const kinds = Array.from({ length: Number(count) }, () => KINDS[draw(KINDS.length)]);
  const size = { flow: 4, bulk: 2 };
  for (const place of [kinds.length >> 2, kinds.length >> 1]) kinds[place] = "killer";
  for (const [number, kind] of kinds.entries()) await add(queues, flows, kind, number, draw);
  await queues.jobs.upsertJobScheduler("clock", { every: 300, limit: 3 }, { name: "tick", data: { a: 1, b: 1 } });
  const asked = await queues.jobs.add("asked", { a: 40, b: 2 });
  const answer = await asked.waitUntilFinished(events);

  const total = kinds.reduce((sum, kind) => sum + (size[kind] ?? 1), 0) + 1 + 3;
  const ended = async () => {
    const all = await Promise.all(Object.values(queues).map((queue) => queue.getJobCounts("completed", "failed")));
    return all.reduce((sum, one) => sum + one.completed + one.failed, 0) >= total;
  };
  while (!(await ended())) await new Promise((resolve) => setTimeout(resolve, 50));
  const { jobs, narrow } = queues;
  const done = [...(await jobs.getJobs(["completed"])), ...(await narrow.getJobs(["completed"]))];
  const told = done.filter((job) => job.name === "told");
  const logs = await Promise.all(told.map((job) => jobs.getJobLogs(job.id)));
  while (heard.size < (await jobs.getCompletedCount())) await new Promise((resolve) => setTimeout(resolve, 20));
  const figures = {
    added: total, answer, completed: done.length, failed: await jobs.getFailedCount(), "heard as completed": heard.size,
    "sum of results": done.reduce((sum, job) => sum + job.returnvalue, 0),
    "with a log and progress": logs.filter((log, n) => log.count >= 1 && told[n].progress === 50 && told[n].data.seen).length,
    ticks: done.filter((job) => job.name === "tick").length, told: told.length,
    "parents done": done.filter((job) => job.name === "parent").length,
  };
  console.log(JSON.stringify({ ...figures, ...(await manage(queues)) }));
  await Promise.all([events.close(), flows.close(), jobs.close(), narrow.close()]);
}

// What an operator does: pause, look, promote, retry, clean, wipe out.
async function manage({ jobs, narrow }) {
  await jobs.pause();
  await jobs.add("plain", { a: 1, b: 2 }, { priority: 3 });
  await jobs.add("plain", { a: 3, b: 4 });
  await jobs.add("plain", { a: 3, b: 4 }, { delay: 3600000, jobId: "far" });
  await (await jobs.getJob("far")).changeDelay(1800000);
  const paused = await jobs.getJobCounts("paused", "waiting", "prioritized", "delayed");
  await (await jobs.getJob("far")).promote();
  await jobs.drain(true);
  const drained = await jobs.count();
  await jobs.resume();
  const failed = await jobs.getFailedCount();
  await jobs.retryJobs({ count: 1000 });
  while ((await jobs.getFailedCount()) < failed) await new Promise((resolve) => setTimeout(resolve, 20));
  const cleaned = (await jobs.clean(0, 1000000, "failed")).length;
  const workers = (await jobs.getWorkers()).length;
  await jobs.removeJobScheduler("clock");
  for (const queue of [jobs, narrow]) await queue.obliterate({ force: true });
  const client = new Redis(connection);
  const left = (await client.keys("bull:*")).filter((key) => !/stalled|limiter|marker|meta/.test(key));
  await client.quit();
  return { paused, drained, cleaned, workers, left };
}

await (role === "worker" ? work() : produce());
