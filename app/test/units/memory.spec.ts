// What the page remembers where a browser stores nothing for it, or not everything.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { canRemember, recall, remember } from "../../src/person/memory.js";

const stores = (get: () => unknown) => {
  for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(globalThis, name, { get, configurable: true });
};
const blocked = () => {
  throw new DOMException("Access is denied for this document.", "SecurityError");
};

test("where site data is blocked, everything is remembered until the page is left", () => {
  stores(blocked);
  assert.equal(canRemember(), false);
  remember("names", { GA: "Anna" });
  remember("draft", "1", "tab");
  assert.deepEqual([recall("names"), recall("draft", "tab"), recall("draft")], [{ GA: "Anna" }, "1", undefined]);
  remember("names", undefined);
  assert.equal(recall("names"), undefined);
});

test("where a storage is full, the newest value counts", () => {
  const entries = new Map([["kept", '"old"']]);
  let full = true;
  stores(() => ({
    getItem: (key: string) => entries.get(key) ?? null,
    removeItem: (key: string) => entries.delete(key),
    setItem(key: string, text: string) {
      if (full) throw new DOMException("Full", "QuotaExceededError");
      entries.set(key, text);
    },
  }));
  assert.equal(canRemember(), false);
  remember("kept", "new");
  assert.equal(recall("kept"), "new");
  full = false;
  remember("kept", "newest");
  assert.deepEqual([recall("kept"), entries.get("kept"), canRemember()], ["newest", '"newest"', true]);
});

test("what is stored and is no JSON counts as nothing", () => {
  stores(() => ({ getItem: () => "{" }));
  assert.equal(recall("names"), undefined);
});
