// How the page asks RPCs that are busy, silent, broken or not what they should be.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "@playwright/test";
import { Requests, TIME_LIMIT } from "../../src/chain/requests.js";
import { OtherNetwork, Problem } from "../../src/words/problem.js";
import { change, dropBefore, error, garbage, hang, html, RpcProxy, status, times, type Behaviour } from "../proxy.js";

const PASSPHRASE = "the network";

/** A network that knows its name, and answers everything else with 7. */
let server: Server;
let passphrase: string;
/** Two RPCs of it. */
let first: RpcProxy;
let second: RpcProxy;
/** How long the page waited before it asked again, in milliseconds. */
let waits: number[];

test.beforeEach(async () => {
  waits = [];
  passphrase = PASSPHRASE;
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      const result = body.includes("getNetwork") ? { passphrase } : 7;
      response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id: 1, result }));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  [first, second] = await Promise.all([RpcProxy.start(url), RpcProxy.start(url)]);
});
test.afterEach(() => {
  first.stop();
  second.stop();
  server.close();
  server.closeAllConnections();
});

const to = (...rpcs: [RpcProxy, ...RpcProxy[]]) => {
  const [url, ...others] = rpcs.map(({ rpcUrl }) => rpcUrl) as [string, ...string[]];
  return new Requests([url, ...others], PASSPHRASE, (milliseconds) => {
    waits.push(milliseconds);
    return Promise.resolve();
  });
};
const asked = { jsonrpc: "2.0", id: 1, method: "getHealth" } as const;
const ask = async (requests: Requests) => (await requests.post(asked)).result;
const problem = (kind: string) => (error: unknown) => error instanceof Problem && error.kind === kind && error.detail === new URL(first.url).host;

for (const code of [429, 503])
  test(`one that answers ${code} is asked again after a while, twice as long each time`, async () => {
    first.on("*", times(2, status(code)));
    assert.equal(await ask(to(first)), 7);
    assert.deepEqual([waits, first.count()], [[500, 1000], 3]);
  });

test("a busy one says when to ask again, but is not waited for longer than ten seconds", async () => {
  first.on("*", times(1, status(503, { "retry-after": "3" })));
  await ask(to(first));
  first.on("*", times(1, status(429, { "retry-after": "3600" })));
  await ask(to(first));
  assert.deepEqual(waits, [3000, 10_000]);
});

test("one that stays busy is called busy after three times", async () => {
  first.on("*", status(429));
  await assert.rejects(ask(to(first)), problem("busy"));
  assert.equal(first.count(), 3);
});

test("a dropped connection is tried again, and after three times there is no network", async () => {
  first.on("*", times(1, dropBefore));
  assert.equal(await ask(to(first)), 7);
  first.on("*", dropBefore);
  await assert.rejects(ask(to(first)), problem("offline"));
  assert.equal(first.count(), 5);
});

test("one that does not answer within ten seconds is asked once more, and then there is no network", async () => {
  assert.equal(TIME_LIMIT, 10_000);
  first.on("*", hang);
  const began = performance.now();
  await assert.rejects(ask(to(first)), problem("offline"));
  const seconds = (performance.now() - began) / 1000;
  assert.ok(seconds > 19.9 && seconds < 25, String(seconds));
  assert.equal(first.count(), 2);
});

for (const [what, answer] of Object.entries({ "a web page": html, garbage }))
  test(`one that answers ${what} is no RPC, which is said at once`, async () => {
    first.on("*", answer);
    await assert.rejects(ask(to(first)), problem("notRpc"));
    assert.deepEqual([waits, first.count()], [[], 1]);
  });

const says = (status: number, answer: object): Behaviour => () => Promise.resolve({ status, body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...answer }) });

for (const code of [429, 500, 502, 503, 504])
  test(`one that tells ${code} in JSON is busy`, async () => {
    for (const answer of [{ message: "later" }, { error: "rate limit exceeded" }, { error: { message: "bad gateway" } }, { result: null }]) {
      first.on("*", times(1, says(code, answer)));
      assert.equal(await ask(to(first)), 7);
    }
    assert.deepEqual([waits, first.count()], [[500, 500, 500, 500], 8]);
  });

test("one that says it was asked too much is busy, and the next one is asked, whatever the status", async () => {
  const errors = [
    { code: -32_005, message: "daily quota" },
    { code: 429, message: "slow down" },
    { code: -32_000, message: "Rate limit exceeded" },
    { code: -32_000, message: "Too Many Requests" },
  ];
  for (const status of [200, 400, 429, 500])
    for (const error of errors) {
      first.on("*", says(status, { error }));
      assert.equal(await ask(to(first, second)), 7);
      await assert.rejects(ask(to(first)), problem("busy"));
    }
});

test("an RPC's own error in its trouble is an answer, though not with the status of too many requests", async () => {
  const error = { code: -32_603, message: "internal error" };
  first.on("*", says(500, { error }));
  assert.deepEqual((await to(first).post(asked)).error, error);
  first.on("*", says(429, { error }));
  await assert.rejects(ask(to(first)), problem("busy"));
});

test("an answer without a result, with another number or of another shape is none of an RPC", async () => {
  const methods = ["getHealth", "getLatestLedger", "getLedgerEntries", "getEvents", "simulateTransaction", "getFeeStats", "sendTransaction", "getTransaction"];
  for (const answer of [{ result: null }, { id: 2, result: 7 }, { error: "no" }, { error: null }, { id: 2, error: { code: 1, message: "no" } }, {}]) {
    first.on("*", says(200, answer));
    for (const method of methods) await assert.rejects(to(first).post({ ...asked, method }), problem("notRpc"));
  }
  for (const result of [7, [], {}, "x", { latestLedger: 1, entries: 5, events: [null], results: [{}], status: 1, sequence: "x" }]) {
    first.on("*", says(200, { result }));
    for (const method of methods.slice(1)) await assert.rejects(to(first).post({ ...asked, method }), problem("notRpc"), method);
    await assert.rejects(to(first).post({ ...asked, method: "getNetwork" }), problem("notRpc"));
  }
});

test("what an RPC itself calls an error is an answer, whatever its status", async () => {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: -32600, message: "no" } });
  first.on("*", () => Promise.resolve({ status: 400, body }));
  assert.deepEqual(await to(first).post(asked), JSON.parse(body));
  assert.equal(first.count(), 1);
});

test("no more than six requests are under way at once", async () => {
  let [underWay, most] = [0, 0];
  first.on("*", async (_, forward) => {
    most = Math.max(most, ++underWay);
    await sleep(20);
    underWay--;
    return forward();
  });
  const requests = to(first);
  assert.deepEqual(await Promise.all(Array.from({ length: 20 }, () => ask(requests))), Array(20).fill(7));
  assert.equal(most, 6);
});

for (const [what, answer] of Object.entries({ "is busy": status(429), "drops connections": dropBefore, "answers web pages": html }))
  test(`where the first RPC ${what} the next one is asked, and stays the one that is asked`, async () => {
    first.on("*", answer);
    const requests = to(first, second);
    assert.equal(await ask(requests), 7);
    assert.equal(await ask(requests), 7);
    assert.deepEqual([first.count(), second.counts, waits], [1, { getNetwork: 1, getHealth: 2 }, []]);
  });

test("an RPC of another network is never asked for anything but its network", async () => {
  passphrase = "another network";
  first.on("*", status(503));
  await assert.rejects(ask(to(first, second)), problem("busy"));
  assert.deepEqual([first.count("getHealth"), second.count("getHealth")], [3, 0]);
});

test("where all RPCs are in trouble the first one is tried again", async () => {
  first.on("*", times(1, status(503)));
  second.on("*", dropBefore);
  const requests = to(first, second);
  assert.equal(await ask(requests), 7);
  assert.deepEqual([first.count("getHealth"), waits], [2, [500]]);
});

const otherNetwork = (served: string) => (error: unknown) =>
  error instanceof OtherNetwork && error.host === new URL(first.url).host && error.served === served && error.wanted === PASSPHRASE;

test("each RPC of the right network is asked once which one it serves", async () => {
  const requests = to(first, second);
  await Promise.all([requests.checkNetwork(), requests.checkNetwork()]);
  first.on("*", status(503));
  assert.equal(await ask(requests), 7);
  await requests.checkNetwork();
  assert.deepEqual([first.count("getNetwork"), second.count("getNetwork")], [1, 1]);
});

const servesAnother = change(() => ({ passphrase: "another network" }));

test("another network is told with both names, and an RPC that named it is asked anew", async () => {
  first.on("getNetwork", times(2, servesAnother));
  second.on("getNetwork", times(1, servesAnother));
  const requests = to(first, second);
  await assert.rejects(requests.checkNetwork(), otherNetwork("another network"));
  assert.equal(requests.url, first.rpcUrl);
  second.on("getNetwork", dropBefore);
  await assert.rejects(requests.checkNetwork(), otherNetwork("another network"));
  await requests.checkNetwork();
  await requests.checkNetwork();
  assert.equal(await ask(requests), 7);
  assert.deepEqual([first.counts, second.counts], [{ getNetwork: 3, getHealth: 1 }, { getNetwork: 2 }]);
});

test("where the first RPC serves another network, the next one of the right network is asked from then on", async () => {
  first.on("getNetwork", servesAnother);
  const requests = to(first, second);
  await requests.checkNetwork();
  assert.equal(await ask(requests), 7);
  await requests.checkNetwork();
  assert.deepEqual([first.counts, second.counts], [{ getNetwork: 1 }, { getNetwork: 1, getHealth: 1 }]);
});

for (const [what, answer] of Object.entries({ "is busy": status(429), "drops connections": dropBefore, "has no such method": error(-32_601, "method not found") }))
  test(`an RPC that ${what} when it is asked for its network hinders nothing, and is asked again later`, async () => {
    first.on("getNetwork", times(1, answer));
    passphrase = "another network";
    const requests = to(first);
    await requests.checkNetwork();
    await assert.rejects(requests.checkNetwork(), otherNetwork("another network"));
    assert.deepEqual([first.count("getNetwork"), waits], [2, []]);
  });
