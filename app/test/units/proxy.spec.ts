// The proxy between page and network, in front of a server that tells what it was asked.

import assert from "node:assert/strict";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "@playwright/test";
import { behind, change, delay, dropAfter, dropBefore, error, garbage, hang, html, RpcProxy, scanLimit, status, times } from "../proxy.js";

const EVENTS = [10, 11, 12].map((ledger) => ({ ledger }));
/** The cursor behind everything in ledger 12. */
const AFTER_12 = "0000000055834574847-4294967295";

let server: Server;
let proxy: RpcProxy;
/** The bodies of the requests that have arrived. */
let arrived: string[];

test.beforeEach(async () => {
  arrived = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      arrived.push(body || String(request.url));
      const result = { sequence: 100, closeTime: "5000", latestLedger: 12, events: EVENTS, cursor: AFTER_12 };
      response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id: 7, result }));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy = await RpcProxy.start(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
test.afterEach(() => {
  proxy.stop();
  server.close();
  server.closeAllConnections();
});

const post = (method: string, params: object = {}, signal?: AbortSignal) =>
  fetch(proxy.rpcUrl, { method: "POST", body: JSON.stringify({ jsonrpc: "2.0", id: 7, method, params }), signal });
const ask = async (method: string, params?: object) =>
  ((await (await post(method, params)).json()) as { result: Record<string, unknown> }).result;

test("it is on this machine alone, forwards what it is asked, and counts it by method", async () => {
  assert.equal(new URL(proxy.url).hostname, "127.0.0.1");
  assert.equal((await ask("getHealth")).sequence, 100);
  await ask("getEvents");
  await ask("getEvents");
  const funded = await fetch(`${proxy.url}/friendbot?addr=G`);
  assert.equal(funded.headers.get("access-control-allow-origin"), "*");
  assert.equal((await fetch(proxy.rpcUrl, { method: "OPTIONS" })).status, 204);
  assert.deepEqual(proxy.counts, { getHealth: 1, getEvents: 2, friendbot: 1 });
  assert.deepEqual([proxy.count(), proxy.count("getEvents", "getHealth")], [4, 3]);
  assert.deepEqual([arrived.length, arrived[3]], [4, "/friendbot?addr=G"]);
  proxy.reset();
  assert.equal(proxy.count(), 0);
});

test("a behaviour is for the methods that it is given, until it is taken away", async () => {
  proxy.on(["sendTransaction", "getTransaction"], status(503));
  proxy.on("*", status(429, { "retry-after": "2" }));
  const [sent, other] = [await post("sendTransaction"), await post("getHealth")];
  assert.deepEqual([sent.status, other.status, other.headers.get("retry-after")], [503, 429, "2"]);
  proxy.off("*", "getTransaction");
  assert.deepEqual([(await post("sendTransaction")).status, (await post("getTransaction")).status], [503, 200]);
  proxy.off();
  assert.equal((await post("sendTransaction")).status, 200);
  assert.equal(arrived.length, 2);
});

test("a behaviour for a number of times is over then", async () => {
  proxy.on("getHealth", times(2, status(429)));
  const statuses = [await post("getHealth"), await post("getHealth"), await post("getHealth")].map(({ status }) => status);
  assert.deepEqual(statuses, [429, 429, 200]);
});

test("a connection is closed before or after the network has what was sent", async () => {
  proxy.on("sendTransaction", dropBefore);
  await assert.rejects(post("sendTransaction"), TypeError);
  assert.equal(arrived.length, 0);
  proxy.on("sendTransaction", dropAfter);
  await assert.rejects(post("sendTransaction"), TypeError);
  assert.equal(arrived.length, 1);
});

test("answers come late, or never", async () => {
  proxy.on("getHealth", delay(300));
  const start = performance.now();
  assert.equal((await ask("getHealth")).sequence, 100);
  assert.ok(performance.now() - start >= 299);
  proxy.on("getHealth", hang);
  await assert.rejects(post("getHealth", {}, AbortSignal.timeout(300)), { name: "TimeoutError" });
  assert.equal(arrived.length, 1);
});

test("answers are a page, half an answer, or an error", async () => {
  proxy.on("getHealth", html);
  const page = await post("getHealth");
  assert.deepEqual([page.status, page.headers.get("content-type")], [200, "text/html"]);
  proxy.on("getHealth", garbage);
  await assert.rejects((await post("getHealth")).json(), SyntaxError);
  proxy.on("getHealth", error(-32_603, "late"));
  assert.deepEqual(await (await post("getHealth")).json(), { jsonrpc: "2.0", id: 7, error: { code: -32_603, message: "late" } });
});

test("a result is changed by what was asked, and nothing else of the answer", async () => {
  proxy.on("getHealth", change((result, { params }) => ({ ...result, sequence: params.sequence })));
  const { id, result } = (await (await post("getHealth", { sequence: 3 })).json()) as { id: number; result: { sequence: number } };
  assert.deepEqual([id, result.sequence], [7, 3]);
});

test("a server that is behind tells an older ledger and its time", async () => {
  proxy.on("getLatestLedger", behind(60));
  const { sequence, closeTime, latestLedger, cursor } = await ask("getLatestLedger");
  assert.deepEqual([sequence, closeTime, latestLedger, cursor], [88, "4940", 0, AFTER_12]);
});

test("events come up to the limit of ledgers, and the next page begins behind it", async () => {
  proxy.on("getEvents", scanLimit(2));
  const first = await ask("getEvents", { startLedger: 10 });
  assert.deepEqual([first.events, first.cursor], [EVENTS.slice(0, 2), "0000000051539607551-4294967295"]);
  const next = await ask("getEvents", { pagination: { cursor: first.cursor } });
  assert.deepEqual([next.events, next.cursor], [EVENTS, AFTER_12]);
});
