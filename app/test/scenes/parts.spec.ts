// Parts of the page that are loaded after its start: they are there before a press needs them, and where they cannot be loaded that is told.

import assert from "node:assert/strict";
import type { Person } from "../person.js";
import { accessible, pictures } from "../pictures.js";
import { test } from "../scene.js";

const TOOLS = /\/assets\/tools-/;

/** Has what builds and signs calls not be there, until the function that it returns is called. */
async function loseTools({ context }: Person): Promise<() => Promise<void>> {
  await context.route(TOOLS, (route) => route.abort());
  return () => context.unroute(TOOLS);
}

test("what signs is loaded before a press needs it", async ({ person }) => {
  const bob = await person("Bob");
  const loaded = [TOOLS, /\/assets\/signatures-/].map((part) => bob.page.waitForResponse(part));
  await bob.open();
  await Promise.all(loaded);
  // From now on nothing of the page itself can be loaded any more.
  await bob.context.route(/\/assets\//, (route) => route.abort());
  await bob.press("Register");
  await bob.signs("You are registered.");
});

test("what only reads loads nothing that signs", async ({ person, rpc }) => {
  const reader = await person("Reader", { wallet: "none" });
  const asked: string[] = [];
  reader.page.on("request", (request) => asked.push(request.url()));
  await reader.open();
  await reader.settled(rpc);
  assert.ok(asked.some((url) => /\/assets\//.test(url)));
  assert.deepEqual(asked.filter((url) => TOOLS.test(url)), []);
});

test("where what signs cannot be loaded, that is told, and the next try goes on", async ({ person }) => {
  const bob = await person("Bob");
  const find = await loseTools(bob);
  await bob.open();
  await bob.press("Register");
  await bob.dialog.getByText("A part of this page could not be loaded.").waitFor();
  await accessible(bob.page);
  await pictures(bob.page, "not-loaded");
  await bob.dialog.getByRole("button", { name: "Try again" }).click();
  await bob.dialog.getByText("A part of this page could not be loaded.").waitFor();
  await find();
  await bob.dialog.getByRole("button", { name: "Try again" }).click();
  await bob.signs("You are registered.");
  bob.complained(/ERR_FAILED/);
});

test("a view that cannot be loaded says so, and does not take the page with it", async ({ person }) => {
  const bob = await person("Bob", { registered: true });
  await bob.open();
  await bob.sees("Registered");
  await bob.context.route(/\/assets\/History-/, (route) => route.abort());
  await bob.page.evaluate(() => location.assign("#/history"));
  await bob.sees("A part of this page could not be loaded.");
  await accessible(bob.page);
  await bob.context.unroute(/\/assets\/History-/);
  await bob.press("Load the page again");
  await bob.sees("Nothing was delivered yet.");
  bob.complained(/ERR_FAILED/);
});

test("what was signed is asked for again once what reads it can be loaded", async ({ person, rpc, contract }) => {
  const bob = await person("Bob");
  await bob.open();
  await bob.press("Register");
  await bob.review();
  rpc.on("getTransaction", () => new Promise(() => undefined));
  await bob.dialog.getByRole("button", { name: "Sign", exact: true }).click();
  await bob.dialog.getByText("It is signed and sent.").waitFor();
  const find = await loseTools(bob);
  rpc.off();
  await bob.open();
  await bob.sees("You have");
  await find();
  await bob.sees("You are registered.");
  assert.ok((await contract.client().get_prosumer({ prosumer: bob.address })).result.isOk());
  bob.complained(/ERR_FAILED/);
});
