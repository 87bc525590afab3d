// Whatever goes wrong is one of a few kinds, whichever browser or network tells it.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Problem, problemOf } from "../../src/words/problem.js";

const kindOf = (message: string) => {
  const problem = problemOf(new Error(message));
  assert.ok(problem instanceof Problem);
  return problem.kind;
};

test("what the network says of a signature is told as what it means for its link", () => {
  assert.equal(kindOf('Transaction simulation failed: "HostError: Error(Auth, ExistingValue)\n\nEvent log'), "usedLink");
  assert.equal(kindOf('Transaction simulation failed: "HostError: Error(Auth, InvalidAction)\n\nEvent log'), "badLink");
});

test("what an RPC tells as an error is told in words, or at least by its own", () => {
  const problem = (thrown: unknown) => String(problemOf(thrown)).replace("Error: ", "");
  assert.equal(problem({ code: -32603, message: "database is locked" }), "unknown: database is locked");
  for (const message of ["rate limited", "Rate limit exceeded", "Too Many Requests"]) assert.equal(problem({ code: 429, message }), "busy", message);
  assert.equal(problem("upstream"), "unknown: upstream");
});
