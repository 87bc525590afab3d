// Which networks a page is built for, and what its content security policy lets it talk to.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { configured, connectSources } from "../../src/chain/networks.js";

test("without settings a page has all networks, each but the local one with more than one RPC", () => {
  const networks = configured({});
  assert.deepEqual(
    networks.map(({ name, otherRpcUrls = [] }) => [name, otherRpcUrls.length > 0]),
    [["testnet", true], ["mainnet", true], ["local", false]],
  );
  const sources = connectSources(networks);
  for (const { rpcUrl, otherRpcUrls = [] } of networks.slice(0, 2))
    for (const url of [rpcUrl, ...otherRpcUrls]) assert.ok(sources.includes(new URL(url).origin), url);
  assert.deepEqual(sources.slice(-2), ["http://localhost:*", "http://127.0.0.1:*"]);
});

test("a page for mainnet alone talks to its own RPCs, and to nothing else", () => {
  const networks = configured({ VITE_NETWORKS: "mainnet", VITE_MAINNET_RPC: "https://rpc.example.org/key https://other.example.org:8443/" });
  assert.deepEqual(
    networks.map(({ name, rpcUrl, otherRpcUrls }) => [name, rpcUrl, otherRpcUrls]),
    [["mainnet", "https://rpc.example.org/key", ["https://other.example.org:8443/"]]],
  );
  assert.deepEqual(connectSources(networks), ["https://rpc.example.org", "https://other.example.org:8443"]);
});

test("a setting that names no network or no address that begins with https is refused", () => {
  assert.throws(() => configured({ VITE_NETWORKS: "mainnet futurenet" }), /there is no network futurenet/);
  for (const url of ["http://rpc.example.org", "rpc.example.org", "https://"])
    assert.throws(() => connectSources(configured({ VITE_TESTNET_RPC: url })), /begins with https/, url);
});
