// Browsers and connections that let the page down: it says so, and goes on where it can.

import assert from "node:assert/strict";
import { expect } from "@playwright/test";
import { accessible, pictures } from "../pictures.js";
import { test } from "../scene.js";

test("a page of which nothing but the first answer arrives is not empty, and a reload mends it", async ({ person }) => {
  const bob = await person("Bob", { wallet: "none", funded: false });
  await bob.open();
  const lost = /\/assets\/(en|words)[^/]*\.js/;
  await bob.context.route(lost, (route) => route.abort());
  await bob.page.reload();
  await bob.sees("This page is loading. If it goes no further, load it again");
  await bob.sees("Diese Seite wird geladen.");
  await bob.page.waitForTimeout(500);
  bob.complained(/Failed to (load|fetch)/);
  await bob.context.unroute(lost);
  await bob.open();
  await bob.sees("Kept on the network for");
  assert.doesNotMatch(await bob.page.locator("body").innerText(), /This page is loading/);
});

test("a part of the page that is not there any more is told, and loading the page again mends it", async ({ person }) => {
  const bob = await person("Bob", { registered: true });
  await bob.open();
  const lost = /\/assets\/History[^/]*\.js/;
  await bob.context.route(lost, (route) => route.fulfill({ status: 404, body: "" }));
  await bob.page.getByRole("link", { name: "History" }).click();
  await bob.sees("A part of this page could not be loaded.");
  await accessible(bob.page);
  bob.complained(/404/);
  await bob.context.unroute(lost);
  await bob.press("Try again");
  await bob.sees("Nothing was delivered yet.");
});

test("without a connection the page goes on in its language, says why, and takes another when there is a connection", async ({ person }) => {
  const bob = await person("Bob", { registered: true, viewport: "phone" });
  const { page, context } = bob;
  const picker = page.getByLabel("Language / Sprache");
  await bob.open();
  await context.setOffline(true);
  for (let tries = 0; tries < 2; tries++) {
    await picker.selectOption("de");
    await bob.sees("Deutsch could not be loaded. Check your connection and choose it again.");
    await expect(picker).toHaveValue("en");
  }
  await accessible(page);
  await pictures(page, "language-missing");
  await context.setOffline(false);
  await picker.selectOption("de");
  await bob.sees("Registriert");
  await expect(picker).toHaveValue("de");
  assert.doesNotMatch(await page.locator("body").innerText(), /could not be loaded|konnte nicht geladen werden/);
  bob.complained(/ERR_INTERNET_DISCONNECTED/);
});

test("the page speaks the language that was chosen last, not the one that was loaded last", async ({ person }) => {
  const bob = await person("Bob", { registered: true });
  const picker = bob.page.getByLabel("Language / Sprache");
  let letThrough = () => {};
  const later = new Promise<void>((resolve) => (letThrough = resolve));
  await bob.context.route(/\/assets\/de-[^/]*\.js/, (route) => later.then(() => route.continue()));
  await bob.open();
  await picker.selectOption("de");
  await picker.selectOption("en");
  const arrived = bob.page.waitForEvent("requestfinished");
  letThrough();
  await arrived;
  await bob.page.waitForTimeout(500);
  await expect(picker).toHaveValue("en");
  await bob.sees("Registered");
});

test("where a browser has no clipboard, a text can be copied by hand", async ({ person }) => {
  const bob = await person("Bob", { registered: true, viewport: "phone" });
  await bob.context.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await bob.open();
  await bob.press("Copy a link for a seller");
  const field = bob.page.getByLabel("This browser does not let the page copy. Copy it from here:");
  assert.match(await field.inputValue(), new RegExp(`#/offer/${bob.address}$`));
  await field.focus();
  assert.equal(await field.evaluate((input: HTMLInputElement) => (input.selectionEnd ?? 0) - (input.selectionStart ?? 0)), (await field.inputValue()).length);
  await accessible(bob.page);
});

test("a link that calls somebody what the page calls another is not taken without a warning", async ({ person, actor, admin }) => {
  const [bob, mallory] = [await person("Bob", { registered: true }), await actor()];
  for (const name of ["Admin", "the contract\u3164", "ｙｏｕ"]) {
    await bob.open(`offer/${mallory.address}/${encodeURIComponent(name)}`);
    await bob.sees(/^Take care: somebody else is called “.*” here already\.$/);
  }
  await accessible(bob.page);
  for (const [address, name] of [
    [mallory.address, "Mallory"],
    [admin.address, "admin"],
  ]) {
    await bob.open(`offer/${address}/${name}`);
    await bob.sees(`The link calls this address “${name}”.`);
    assert.doesNotMatch(await bob.text(), /Take care/);
  }
});

test("a file without a link to sign is told", async ({ person }) => {
  const bob = await person("Bob", { registered: true });
  await bob.open();
  await bob.page.locator("#signature-file").setInputFiles({ name: "holiday.txt", mimeType: "text/plain", buffer: Buffer.from("Dear diary") });
  await bob.sees("There is no link to sign in this file.");
});
