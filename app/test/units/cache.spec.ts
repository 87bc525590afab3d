// What is kept of what was read.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Cache, type About } from "../../src/chain/cache.js";

/** Reads of a cache, each of which answers how often it was carried out. */
function counted(cache: Cache) {
  const reads = new Map<string, number>();
  return (key: string, of: About) =>
    cache.read(
      key,
      () => {
        reads.set(key, (reads.get(key) ?? 0) + 1);
        return Promise.resolve(reads.get(key));
      },
      () => of,
    );
}

test("what tells of nothing that has changed is read once", async () => {
  const cache = new Cache();
  const read = counted(cache);
  const both = [read("a", { about: ["1"] }), read("a", { about: ["1"] })];
  assert.deepEqual(await Promise.all(both), [1, 1]);
  await read("b", { about: ["2", "3"] });
  assert.equal(cache.forget(["4"], 0n), false);
  assert.equal(cache.forget(["3"], 0n), true);
  assert.deepEqual([await read("a", { about: ["1"] }), await read("b", { about: ["2"] })], [1, 2]);
  cache.forgetAll();
  assert.equal(await read("a", { about: ["1"] }), 2);
});

test("what holds until a time is read again after it, though nothing has changed", async () => {
  const cache = new Cache();
  const read = counted(cache);
  const of = { about: ["1"], until: 100n };
  await read("a", of);
  assert.equal(cache.forget([], 100n), false);
  assert.equal(cache.forget([], 101n), true);
  assert.equal(await read("a", of), 2);
});

test("what is being read while something changes is read again", async () => {
  const cache = new Cache();
  const read = counted(cache);
  const reading = read("a", { about: ["1"] });
  assert.equal(cache.forget(["2"], 0n), true);
  await reading;
  assert.equal(await read("a", { about: ["1"] }), 2);
});

test("a failure is not kept, and counts as a change once", async () => {
  const cache = new Cache();
  const fail = () => cache.read("a", () => Promise.reject(new Error("no")), () => ({ about: [] }));
  await assert.rejects(fail());
  assert.equal(cache.forget([], 0n), true);
  assert.equal(cache.forget([], 0n), false);
  assert.equal(await counted(cache)("a", { about: [] }), 1);
});

test("what came with another value is kept like one that was read", async () => {
  const cache = new Cache();
  const read = counted(cache);
  cache.keep("a", 7, { about: ["1"] });
  assert.equal(await read("a", { about: ["1"] }), 7);
  cache.forget(["1"], 0n);
  assert.equal(await read("a", { about: ["1"] }), 1);
});
