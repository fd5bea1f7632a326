// node-redis on the server whose unix socket is argv[2], in RESP2 or RESP3 (argv[3]).

import { createClient, BasicClientSideCache, RESP_TYPES } from "redis";
import { step, until } from "./report.mjs";

const path = process.argv[2];
const RESP = Number(process.argv[3]);
const open = async (options = {}) => {
  const client = createClient({ socket: { path, reconnectStrategy: false }, RESP, name: "node", ...options });
  client.on("error", () => {});
  await client.connect();
  return client;
};

const client = await open();
await client.flushAll();

await step("strings", async () => [
  await client.set("greeting", "hello"),
  await client.get("greeting"),
  await client.get("missing"),
  await client.set("greeting", "again", { condition: "NX" }),
  await client.set("token", "abc", { expiration: { type: "EX", value: 60 }, GET: true }),
  await client.ttl("token"),
  await client.incr("views"),
  await client.incrByFloat("ratio", 1.5),
  await client.mSet({ a: "1", b: "2" }),
  await client.mGet(["a", "b", "missing"]),
  await client.exists(["a", "b", "missing"]),
]);
await step("binary", async () => {
  const bytes = Buffer.from([0, 255, 13, 10, 36, 42]);
  await client.set("binary", bytes);
  return client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get("binary");
});
await step("wrong type", () => client.lPush("greeting", "x"));
await step("hashes", async () => [
  await client.hSet("user:1", { name: "Ada", logins: 3 }),
  await client.hGetAll("user:1"),
  await client.hGet("user:1", "missing"),
  await client.hIncrBy("user:1", "logins", 2),
  await client.hmGet("user:1", ["name", "missing"]),
  (await client.hKeys("user:1")).sort(),
]);
await step("sets", async () => [
  await client.sAdd("tags", ["a", "b"]),
  await client.sIsMember("tags", "a"),
  (await client.sMembers("tags")).sort(),
  await client.smIsMember("tags", ["a", "z"]),
]);
await step("sorted sets", async () => [
  await client.zAdd("board", [{ score: 1.5, value: "ada" }, { score: 2, value: "bob" }]),
  await client.zRangeWithScores("board", 0, -1),
  await client.zScore("board", "ada"),
  await client.zIncrBy("board", 3, "ada"),
  await client.zRange("board", "-inf", "+inf", { BY: "SCORE", LIMIT: { offset: 0, count: 1 } }),
  await client.zPopMax("board"),
  await client.zScore("board", "nobody"),
]);
await step("geo", async () => [
  await client.geoAdd("towns", [{ longitude: 13.4, latitude: 52.5, member: "Berlin" }]),
  await client.geoPos("towns", ["Berlin", "nowhere"]),
  await client.geoSearch("towns", { longitude: 13, latitude: 52 }, { radius: 100, unit: "km" }),
]);

await step("pipeline", async () => {
  const sums = await Promise.all(Array.from({ length: 500 }, (_, i) => client.incrBy("sum", i)));
  return [sums.length, sums.slice(-2)];
});
await step("transaction", () => client.multi().set("x", "1").incr("x").lPush("x", "no").get("x").execAsPipeline());
await step("exec", () => client.multi().set("x", "1").incr("x").hGetAll("user:1").exec());
await step("exec with an error", () => client.multi().set("x", "1").lPush("x", "no").exec());
await step("watch", async () => {
  const other = await open();
  const watcher = await open();
  await watcher.watch("x");
  await other.set("x", "9");
  try {
    return await watcher.multi().set("x", "10").exec();
  } finally {
    other.destroy();
    watcher.destroy();
  }
});
await step("unwatched", async () => [await client.watch("x"), await client.unwatch()]);

await step("scripts", async () => [
  await client.eval("return {KEYS[1], ARGV[1], 7, {1, 'two'}}", { keys: ["k"], arguments: ["v"] }),
  await client.scriptExists([await client.scriptLoad("return redis.call('INCR', KEYS[1])")]),
  await client.eval("return redis.error_reply('NOPE no')").catch((error) => error),
  await client.evalSha("f".repeat(40)).catch((error) => error.message.slice(0, 28)),
]);
await step("functions", async () => [
  await client.functionLoad("#!lua name=lib\nredis.register_function('twice', function(k, a) return a[1] * 2 end)"),
  await client.fCall("twice", { keys: [], arguments: ["21"] }),
  await client.functionDelete("lib"),
]);

await step("blocking", async () => {
  const waiting = await open();
  const id = await waiting.clientId();
  const popped = waiting.blPop(["jobs", "mail"], 0);
  await until(async () => (await client.clientList({ TYPE: "NORMAL" })).some((one) => one.id === id && /b/.test(one.flags)));
  await client.rPush("mail", ["one", "two"]);
  const results = [await popped, await waiting.blPop("mail", 0), await waiting.blPop("mail", 0.01)];
  results.push(await waiting.bzPopMin("nothing", 0.01), await waiting.blMove("no", "where", "LEFT", "RIGHT", 0.01));
  waiting.destroy();
  return results;
});

await step("streams", async () => [
  await client.xAdd("log", "1-1", { event: "start" }),
  await client.xAdd("log", "1-2", { event: "stop", code: "0" }),
  await client.xAdd("log", "1-1", { event: "late" }).catch((error) => error),
  await client.xLen("log"),
  await client.xRange("log", "-", "+"),
  await client.xGroupCreate("log", "workers", "0"),
  await client.xReadGroup("workers", "w1", { key: "log", id: ">" }, { COUNT: 1 }),
  await client.xPending("log", "workers"),
  await client.xAck("log", "workers", "1-1"),
  await client.xAutoClaim("log", "workers", "w2", 0, "0"),
  await client.xRead({ key: "log", id: "$" }, { BLOCK: 5 }),
  await client.xInfoStream("log").then((info) => [info.length, info.groups, info["last-generated-id"]]),
  (await client.xInfoGroups("log")).map(({ name, pending, lag }) => [name, pending, lag]),
]);

await step("scan iterators", async () => {
  await client.flushDb();
  await client.mSet(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key:${i}`, `${i}`])));
  const keys = new Set();
  for await (const page of client.scanIterator({ MATCH: "key:*", COUNT: 20 })) page.forEach((key) => keys.add(key));
  await client.hSet("h", Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`f${i}`, `${i}`])));
  const fields = new Set();
  for await (const page of client.hScanIterator("h")) page.forEach(({ field }) => fields.add(field));
  return [keys.size, fields.size];
});

await step("pub/sub", async () => {
  const subscriber = await open();
  const heard = [];
  await subscriber.subscribe("news", (message, channel) => heard.push([channel, message]));
  await subscriber.pSubscribe("spo*", (message, channel) => heard.push(["pattern", channel, message]));
  await subscriber.sSubscribe("orders", (message, channel) => heard.push(["shard", channel, message]));
  const counts = [await client.publish("news", "rain"), await client.publish("sport", "goal")];
  counts.push(await client.sPublish("orders", "1001"), await client.pubSubNumSub(["news"]));
  await until(() => heard.length === 3);
  await subscriber.unsubscribe("news");
  counts.push(await client.publish("news", "nobody"));
  await subscriber.pUnsubscribe();
  await subscriber.sUnsubscribe();
  heard.push(await subscriber.ping());
  subscriber.destroy();
  return [counts, heard];
});

if (RESP === 3) {
  await step("client-side caching", async () => {
    const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: "LRU" });
    const cached = await open({ clientSideCache: cache });
    await client.set("cached", "old");
    const values = [await cached.get("cached"), await cached.get("cached")];
    const hits = cache.stats().hitCount;
    await client.set("cached", "new");
    await until(async () => (await cached.get("cached")) === "new");
    cached.destroy();
    return [values, hits];
  });
}

await step("who is who", async () => {
  const info = await client.clientInfo();
  return [info.name, info.libName, info.libVer?.length > 0, info.resp, info.db, await client.clientGetName()];
});
await step("cluster mode is off", async () => [
  await client.clusterInfo().catch((error) => error),
  (await client.info("cluster")).trim(),
]);
await step("databases", async () => {
  const second = await open({ database: 1 });
  await second.set("here", "1");
  const seen = [await second.dbSize(), await client.exists("here"), await client.move("cached", 1)];
  second.destroy();
  return seen;
});
await step("object", async () => [
  await client.objectEncoding("h"),
  await client.type("h"),
  await client.expire("h", 100),
  await client.persist("h"),
  await client.copy("h", "h2"),
  await client.unlink(["h", "h2"]),
]);
await step("a refused login", () => open({ username: "nobody", password: "wrong" }));
await step("a reply of a megabyte", async () => {
  await client.set("large", "x".repeat(1 << 20));
  return (await client.get("large")).length;
});
await step("quit", async () => {
  await client.close();
  return client.isOpen;
});
