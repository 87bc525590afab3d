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
