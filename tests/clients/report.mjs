// Prints what each step gave, one line of JSON a step, so that two servers can be compared by their output.

const shown = (key, value) => {
  if (value instanceof Map) return { map: [...value] };
  if (value instanceof Set) return { set: [...value].sort() };
  if (value instanceof Error) return { error: value.message };
  if (typeof value === "bigint") return { bigint: `${value}` };
  if (value?.type === "Buffer") return { base64: Buffer.from(value.data).toString("base64") };
  return value;
};

export const report = (name, value) => console.log(`${name}: ${JSON.stringify(value, shown) ?? "undefined"}`);

export const step = async (name, work) => {
  let result;
  try {
    result = await work();
  } catch (error) {
    result = error;
  }
  report(name, result);
  return result;
};

// Waits until a condition holds: the peers of a test are awaited, never slept for.
export const until = async (holds) => {
  for (let left = 3000; left; left -= 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("waited in vain");
};
