// The address book, and the file in which it travels.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Keypair } from "@stellar/stellar-sdk";
import { cleanName, mergeNames, named, namesake, readNamesFile, toNamesFile, withName } from "../../src/person/names.js";

const [a = "", b = "", c = ""] = [1, 2, 3].map(() => Keypair.random().publicKey());

test("a name is one line without invisible letters, of at most 40", () => {
  assert.equal(cleanName("  Alice\n\u202E  Müller\u200B "), "Alice Müller");
  assert.equal(cleanName("🌞".repeat(50)), "🌞".repeat(40));
  for (const unseen of ["\u3164", "\u115F\u1160", "\uFFA0", "\u2800", "\u034F", "\uFE0F", "\u{E0041}", "\u00AD", "\uD800"]) {
    assert.equal(cleanName(unseen), "", unseen);
    assert.equal(cleanName(`Al${unseen}ice${unseen}`), "Alice", unseen);
  }
});

test("an empty name forgets", () => {
  assert.deepEqual(withName({ [a]: "Alice", [b]: "Bob" }, a, "  "), { [b]: "Bob" });
  assert.deepEqual(withName({ [b]: "Bob" }, a, " Alice "), { [b]: "Bob", [a]: "Alice" });
});

test("what was exported is imported", () => {
  const names = { [a]: "Alice", [b]: "Bob “the sun”" };
  assert.deepEqual(readNamesFile(toNamesFile(names)), names);
});

test("a file of anything else is refused", () => {
  for (const text of ["", "null", "[]", "{}", '{"names":null}', '{"names":{"GABC":"Alice"}}', `{"names":{"${a}":7}}`, `{"names":{"${a}":""}}`])
    assert.equal(readNamesFile(text), undefined, text);
});

test("names of one's own stay where a file has others", () => {
  const merged = mergeNames({ [a]: "Alice", [b]: "Bob" }, { [b]: "Robert", [c]: "Carol", [a]: "Alice" });
  assert.deepEqual(merged, { names: { [a]: "Alice", [b]: "Bob", [c]: "Carol" }, added: 1, differ: 1 });
});

test("somebody else who has the name already is found", () => {
  assert.equal(namesake({ [a]: "Alice" }, b, "alice "), a);
  for (const same of ["ALICE", "Ａｌｉｃｅ", "Alice\u3164", "A\u200Dlice"]) assert.equal(namesake({ [a]: "Alice" }, b, same), a, same);
  assert.equal(namesake({ [a]: "Alice" }, a, "Alice"), undefined);
});

test("a name that is written from right to left stays in its place", () => {
  const address = `G${"A".repeat(51)}MDTX`;
  assert.equal(named("Alice", address), "Alice (GAAAA…MDTX)");
  for (const name of ["علي", "דן", "A علي", "𐤀𐤁"]) assert.equal(named(name, address), `\u2068${name}\u2069 (GAAAA…MDTX)`);
});
