// ioredis on the server whose unix socket is argv[2].

import Redis, { Cluster } from "ioredis";
import { step, until } from "./report.mjs";

const path = process.argv[2];
const open = (options = {}) => {
  const client = new Redis({ path, retryStrategy: () => null, ...options });
  client.on("error", () => {}); // a command that fails says so itself
  return client;
};
const redis = open({ connectionName: "io" });
await redis.flushall();

await step("strings", async () => [
  await redis.set("greeting", "hello", "EX", 60),
  await redis.get("greeting"),
  await redis.getBuffer("greeting"),
  await redis.get("missing"),
  await redis.set("greeting", "again", "NX"),
  await redis.ttl("greeting"),
  await redis.incrbyfloat("ratio", 0.1),
  await redis.mset(new Map([["a", "1"], ["b", "2"]])),
  await redis.mget("a", "b", "missing"),
]);
await step("collections", async () => [
  await redis.hset("user", { name: "Ada", logins: 3 }),
  await redis.hgetall("user"),
  await redis.rpush("list", "a", "b", "c"),
  await redis.lrange("list", 0, -1),
  await redis.sadd("set", "a", "b"),
  (await redis.smembers("set")).sort(),
  await redis.zadd("board", 1, "ada", 2.5, "bob"),
  await redis.zrange("board", 0, -1, "WITHSCORES"),
  await redis.zrevrangebyscore("board", "+inf", "-inf", "LIMIT", 0, 1),
]);
await step("wrong type", () => redis.lpush("greeting", "x"));
await step("unknown command", () => redis.call("NOSUCH", "x"));

await step("pipeline", () => redis.pipeline().set("x", "1").incr("x").lpush("x", "no").get("x").exec());
await step("long pipeline", async () => {
  const pipeline = redis.pipeline();
  for (let i = 0; i < 5000; i += 1) pipeline.set(`key:${i}`, "v".repeat(i % 100));
  return (await pipeline.exec()).filter(([error, reply]) => error === null && reply === "OK").length;
});
await step("transaction", () => redis.multi().set("x", "1").incr("x").lpush("x", "no").exec());
await step("transaction by hand", async () => {
  const results = [await redis.multi({ pipeline: false }), await redis.set("y", "1"), await redis.exec()];
  return results;
});
await step("refused transaction", () => redis.multi().set("x").exec());
await step("watch", async () => {
  const watcher = open();
  await watcher.watch("x");
  await redis.set("x", "9");
  const result = await watcher.multi().set("x", "10").exec();
  watcher.disconnect();
  return result;
});

await step("scripts", async () => {
  redis.defineCommand("addUp", { numberOfKeys: 1, lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])" });
  const results = [await redis.addUp("sum", 5), await redis.addUp("sum", 6)];
  await redis.script("FLUSH");
  results.push(await redis.addUp("sum", 1)); // EVALSHA is answered NOSCRIPT: it falls back to EVAL
  results.push(await redis.pipeline().addUp("sum", 1).get("sum").exec());
  return results;
});

await step("blocking", async () => {
  const waiting = open({ connectionName: "waiting" });
  const popped = waiting.blpop("jobs", 0);
  await until(async () => /name=waiting .*flags=b/.test(await redis.client("LIST")));
  await redis.rpush("jobs", "one");
  const results = [await popped, await waiting.brpop("jobs", 0.01), await waiting.bzpopmin("board", 1)];
  const stuck = waiting.blpop("jobs", 0).catch((error) => error);
  await until(async () => /name=waiting .*flags=b/.test(await redis.client("LIST")));
  waiting.disconnect(); // what it waited for stays for others
  results.push((await stuck).message);
  await until(async () => !/name=waiting/.test(await redis.client("LIST")));
  results.push(await redis.rpush("jobs", "two"), await redis.llen("jobs"));
  return results;
});

await step("streams", async () => {
  const reader = open({ connectionName: "reader" });
  await redis.xgroup("CREATE", "log", "g", "$", "MKSTREAM");
  const next = reader.xreadgroup("GROUP", "g", "c1", "BLOCK", 0, "STREAMS", "log", ">");
  await until(async () => /name=reader .*flags=b/.test(await redis.client("LIST")));
  await redis.xadd("log", "5-1", "job", "1");
  const results = [await next, await redis.xpending("log", "g"), await redis.xack("log", "g", "5-1")];
  reader.disconnect();
  return results;
});

await step("scan streams", async () => {
  const keys = new Set();
  for await (const page of redis.scanStream({ match: "key:*", count: 500 })) page.forEach((key) => keys.add(key));
  return keys.size;
});

await step("pub/sub", async () => {
  const subscriber = open();
  const heard = [];
  subscriber.on("message", (channel, message) => heard.push([channel, message]));
  subscriber.on("pmessage", (pattern, channel, message) => heard.push([pattern, channel, message]));
  const counts = [await subscriber.subscribe("news", "sport"), await subscriber.psubscribe("n*")];
  counts.push(await redis.publish("news", "rain"), await redis.publish("sport", "goal"));
  await until(() => heard.length === 3);
  counts.push(await subscriber.unsubscribe("news", "sport"), await subscriber.punsubscribe("n*"), await subscriber.get("greeting"));
  subscriber.disconnect();
  return [counts, heard.sort()];
});
await step("keyspace events", async () => {
  const subscriber = open();
  await redis.config("SET", "notify-keyspace-events", "KEA");
  const event = new Promise((resolve) => subscriber.on("pmessage", (...words) => resolve(words)));
  await subscriber.psubscribe("__key*__:*");
  await redis.set("watched", "1");
  const heard = await event;
  await redis.config("SET", "notify-keyspace-events", "");
  subscriber.disconnect();
  return heard;
});
await step("monitor", async () => {
  const monitor = await open().monitor();
  const line = new Promise((resolve) => monitor.on("monitor", (time, words) => resolve(words)));
  await redis.set("seen", "by monitor");
  const words = await line;
  monitor.disconnect();
  return words;
});

await step("cluster mode is off", async () => {
  const cluster = new Cluster([{ path }], { clusterRetryStrategy: () => null, redisOptions: { path } });
  const errors = [];
  cluster.on("error", (error) => errors.push(error.message));
  const result = await cluster.get("x").catch((error) => [error.message, error.lastNodeError?.message]);
  cluster.disconnect();
  return [result, await redis.cluster("INFO").catch((error) => error), (await redis.info("cluster")).trim()];
});
await step("databases", async () => {
  const second = open({ db: 2 });
  await second.set("here", "1");
  const seen = [await second.dbsize(), await redis.exists("here"), await second.flushdb()];
  second.disconnect();
  return seen;
});
await step("a connection that is killed is opened again", async () => {
  const client = open({ retryStrategy: () => 1, connectionName: "killed" });
  const id = await client.client("ID");
  await redis.client("KILL", "ID", id);
  await until(async () => (await client.client("ID").catch(() => id)) !== id);
  const name = await client.client("GETNAME");
  client.disconnect();
  return name;
});
await step("quit", () => redis.quit());
process.exit();
