// What people type, and what browsers do to the page.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Account, MuxedAccount } from "@stellar/stellar-sdk";
import { chromium, expect, type Page } from "@playwright/test";
import { shortAddress } from "../../src/words/format.js";
import { accessible, pictures } from "../pictures.js";
import { test } from "../scene.js";

const focused = (page: Page) => page.evaluate(() => document.activeElement?.closest(".field")?.querySelector("label")?.textContent);

test("a price that can mean two things is asked, and a form that is wrong puts the cursor on its first mistake", async ({ person, actor }) => {
  const bob = await actor();
  const alice = await person("Alice", { registered: true, viewport: "phone" });
  const { page } = alice;
  await alice.open(`offer/${bob.address}`);
  await alice.fill("How much? (kWh)", "-5");
  await alice.fill(/^Price per kWh/, "1.000");
  await alice.press("Make the offer");
  await alice.sees("Write it without a sign.");
  await alice.sees("Thousands or a fraction?");
  await expect.poll(() => focused(page)).toBe("How much? (kWh)");
  await pictures(page, "price-asked");
  await alice.fill("How much? (kWh)", "1.500 kWh");
  await alice.press("Make the offer");
  await expect.poll(() => focused(page)).toBe("Price per kWh (XLM)");
  await alice.press("1.00 XLM");
  await expect(page.locator("output")).toHaveText("1,500.00 XLM");
  await alice.press("Make the offer");
  await expect.poll(() => focused(page)).toBe("Deliveries until");
});

test("a reading is taken as the page shows the last one", async ({ person, actor }) => {
  const bob = await actor();
  const alice = await person("Alice", { registered: true });
  const id = await alice.actor.offer(bob, { kwh: 2_000n });
  await alice.actor.act((client) =>
    client.deliver_energy({ agreement_id: id, energy_delivered_kwh: 1n, meter_reading: 120_540n, provider: alice.address }),
  );
  await alice.open(`agreement/${id}`);
  await alice.sees("The last reading was 120,540 kWh.");
  await alice.fill("Delivered energy (kWh)", "1.000");
  await alice.fill("Meter reading (kWh)", "120.539 kWh");
  await alice.press("Record a delivery");
  await alice.sees("A reading does not go back. The last one was 120,540 kWh.");
  assert.equal(await focused(alice.page), "Meter reading (kWh)");
  await alice.fill("Meter reading (kWh)", "121.540 kWh");
  await alice.press("Record a delivery");
  assert.ok((await alice.review()).includes("Record a delivery of 1,000 kWh"));
});

test("an M address is told before anything is built, and an offer to somebody unregistered cannot be pressed", async ({ person, actor }) => {
  const bob = await actor({ registered: false });
  const alice = await person("Alice", { registered: true });
  await alice.open("offer");
  await alice.fill("Who buys? (address)", new MuxedAccount(new Account(bob.address, "0"), "7").accountId());
  await alice.press("Make the offer");
  await alice.sees("This is an M address");
  await alice.fill("Who buys? (address)", bob.address);
  await alice.sees("This neighbour has not registered here yet.");
  assert.equal(await alice.button("Make the offer").getAttribute("aria-disabled"), "true");
  await accessible(alice.page);
  await alice.button("Make the offer").click({ force: true });
  assert.equal(await alice.dialog.count(), 0);
});

test("an address that is none of the page, cut or mistyped, says so", async ({ person, stage, siteUrl }) => {
  const carol = await person("Carol", { wallet: "none" });
  for (const view of ["%", "offer/%", "sign/%E0%A4", "agreement/99999999999999999999", "agreement/1.5", "agreement/-1", "agreement", "toString"]) {
    await carol.follow(`${siteUrl}${stage.query}#/${view}`);
    await carol.sees("Nothing is here");
  }
  await accessible(carol.page);
  await carol.page.getByRole("main").getByRole("link", { name: "Home" }).click();
  await carol.sees("Share energy with your neighbours");
});

test("a token in place of a community is told", async ({ person, contract, siteUrl, rpc }) => {
  const carol = await person("Carol", { wallet: "none" });
  await carol.follow(`${siteUrl}?${new URLSearchParams({ contract: contract.tokenId, network: "local", rpc: rpc.rpcUrl })}`);
  await carol.sees("At this address is another kind of contract");
  assert.equal(await carol.page.getByText("HostError").count(), 0);
  await accessible(carol.page);
});

test("odd language tags leave the page standing", async ({ person }) => {
  for (const language of ["en-US@posix", "en_US", "", "C", "tlh-QQ"]) {
    const dave = await person(`Dave ${language}`, { wallet: "none", funded: false });
    await dave.context.addInitScript((language) => {
      Object.defineProperty(navigator, "language", { get: () => language, configurable: true });
      Object.defineProperty(navigator, "languages", { get: () => [language], configurable: true });
    }, language);
    await dave.open();
    await dave.sees("Kept on the network for");
  }
});

test("a page that fails says what to do", async ({ person }) => {
  const erin = await person("Erin", { wallet: "none", viewport: "phone" });
  await erin.context.addInitScript(() => Object.assign(Intl, { RelativeTimeFormat: undefined }));
  await erin.open();
  await erin.sees("This page has stopped");
  await pictures(erin.page, "stopped");
  erin.complained(/RelativeTimeFormat is not a constructor/);
  await erin.press("Open another community");
  await erin.sees("Which community?");
});

test("where site data is blocked the page works, and says that it forgets", async ({ stage, siteUrl }) => {
  const folder = mkdtempSync(join(tmpdir(), "page-"));
  mkdirSync(join(folder, "Default"));
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(folder, "Default", "Preferences"), JSON.stringify(preferences));
  const { CHROMIUM: executablePath = "/usr/bin/chromium" } = process.env;
  const context = await chromium.launchPersistentContext(folder, { executablePath, args: ["--no-sandbox"], locale: "en-GB" });
  try {
    const page = await context.newPage();
    await page.goto(`${siteUrl}${stage.query}#/home`);
    await page.getByText("This browser stores nothing for this page.").waitFor();
    assert.equal(
      await page.evaluate(() => {
        try {
          return localStorage.length;
        } catch (error) {
          return (error as Error).name;
        }
      }),
      "SecurityError",
    );
    await accessible(page);
    await page.getByRole("button", { name: "Try without a wallet" }).click();
    await page.getByText("10,000.00 XLM").waitFor();
    await page.getByLabel("Language / Sprache").selectOption("de");
    await page.getByText("Dieser Browser speichert für diese Seite nichts.").waitFor();
    // What was typed is still there after another view.
    const go = (view: string) => page.evaluate((view) => location.assign(`#/${view}`), view);
    await go("offer");
    await page.getByLabel("Wie viel? (kWh)").fill("77");
    await go("history");
    await page.getByRole("heading", { name: "Verlauf" }).waitFor();
    await go("offer");
    assert.equal(await page.getByLabel("Wie viel? (kWh)").inputValue(), "77");
  } finally {
    await context.close();
  }
});

test("a browser that translates the page leaves no amount and no state stale", async ({ person, actor }) => {
  const alice = await actor();
  const bob = await person("Bob", { registered: true });
  const { page } = bob;
  const id = await alice.offer(bob, { kwh: 40n });
  await bob.open(`offer/${alice.address}`);
  await bob.fill("How much? (kWh)", "10");
  await bob.fill(/^Price per kWh/, "0.15");
  await expect(page.locator("output")).toHaveText("1.50 XLM");
  await translate(page);
  await expect(page.locator("output")).toHaveText("‹1.50 XLM›");
  await bob.fill("How much? (kWh)", "20");
  await expect(page.locator("output")).toHaveText("3.00 XLM");

  await bob.open(`agreement/${id}`);
  await bob.sees("Offer, not answered");
  await translate(page);
  await page.getByRole("button", { name: "‹Pay a deposit, and look at each delivery›" }).click();
  await bob.dialog.getByRole("button", { name: "Sign", exact: true }).click();
  await bob.dialog.getByText("The deposit is paid.").waitFor();
  await translate(page);
  await page.keyboard.press("Escape");
  await bob.dialog.waitFor({ state: "hidden" });
  await bob.sees("Deposit with review");
  assert.equal(await page.getByText("Offer, not answered").count(), 0);
  await page.getByText("Left in the deposit").waitFor();
  await page.getByLabel("Language / Sprache").selectOption("de");
  await bob.sees("0 von 40 kWh geliefert");
  assert.doesNotMatch(await bob.text(), /‹(?!.*kWh)[A-Z][a-z]+ [a-z]+/);
});

/** Does what a browser's translation does: each text is taken out, and an element with another is put in its place. */
const translate = (page: Page) =>
  page.evaluate(() => {
    const texts: Text[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) texts.push(walker.currentNode as Text);
    for (const text of texts.filter(({ data, parentElement }) => data.trim() && parentElement?.localName !== "option")) {
      const other = document.createElement("span");
      other.append(Object.assign(document.createElement("span"), { textContent: `‹${text.data}›` }));
      text.replaceWith(other);
    }
  });

test.describe("a token with more decimals than any amount", () => {
  test.use({ token: { decimals: 40 } });
  test("is refused in words", async ({ person }) => {
    const carol = await person("Carol", { wallet: "none", funded: false });
    await carol.open();
    await carol.sees("more decimals than any amount can have");
    await carol.button("Open another community").waitFor();
  });
});

test.describe("a token without decimals, whose symbol turns sentences around", () => {
  test.use({ token: { decimals: 0, symbol: "\u202eابج نقود كثيرة جدا" } });
  test("is shown short and in its place, with an example that can be typed", async ({ person, actor, stage }) => {
    const bob = await actor();
    const alice = await person("Alice", { registered: true, viewport: "phone" });
    await alice.open(`offer/${bob.address}`);
    await alice.sees("For example 15");
    const symbol = `\u2068ابج نقود كثي…\u2069 (${shortAddress(stage.token.contractId)})`;
    const label = (await alice.page.getByText(/^Price per kWh/).textContent()) ?? "";
    assert.equal(label, `Price per kWh (${symbol})`);
    await alice.fill("How much? (kWh)", "10");
    await alice.fill(/^Price per kWh/, "1.500");
    await expect(alice.page.locator("output")).toHaveText(`15,000 ${symbol}`);
    await pictures(alice.page, "token-rtl");
  });
});

for (const locale of ["en-GB", "de-DE"])
  test(`text at 200 % on a phone, and a zoom of 400 %, cut nothing off: ${locale}`, async ({ person, actor }) => {
    test.slow();
    const alice = await actor();
    const bob = await person(`Bob ${locale}`, { registered: true, locale });
    const id = await alice.offer(bob, { kwh: 40n });
    const { page } = bob;
    for (const { width, height, text } of [
      { width: 390, height: 844, text: "200%" },
      { width: 320, height: 256, text: "" },
    ]) {
      await page.setViewportSize({ width, height });
      for (const view of ["home", "agreements", `agreement/${id}`, "offer", "history", "admin"]) {
        await bob.open(view);
        await page.evaluate((text) => document.documentElement.style.setProperty("font-size", text), text && "34px");
        await accessible(page);
        assert.deepEqual(await overlapping(page), [], `${view} ${width}`);
      }
      await bob.open(`agreement/${id}`);
      await page.evaluate((text) => document.documentElement.style.setProperty("font-size", text), text && "34px");
      await page.screenshot({ path: `${process.env.PICTURES}/large-text-${locale}-${width}.png` });
      await page.getByRole("button", { name: /^(Pay a deposit, and look|Vorauszahlung leisten und)/ }).click();
      const sign = bob.dialog.getByRole("button", { name: /^(Sign|Unterschreiben)$/ });
      await sign.waitFor();
      assert.equal(await bob.dialog.evaluate(({ scrollTop }) => scrollTop), 0);
      await sign.scrollIntoViewIfNeeded();
      await expect(sign).toBeInViewport({ ratio: 1 });
      await page.screenshot({ path: `${process.env.PICTURES}/large-text-dialog-${locale}-${width}.png` });
    }
  });

test("the five places of an admin fit on the narrowest phone, in German", async ({ person, admin }) => {
  const coop = await person("Co-op", { keypair: admin.keypair, funded: false, locale: "de-DE" });
  await coop.page.setViewportSize({ width: 320, height: 568 });
  await coop.open("admin");
  await expect(coop.page.locator("nav.main a")).toHaveCount(5);
  assert.deepEqual(await overlapping(coop.page), []);
  const tops = await coop.page.locator("nav.main a").evaluateAll((items) => items.map((item) => item.getBoundingClientRect().top));
  assert.equal(new Set(tops).size, 1);
});

/** The items of the navigation that lie over each other or are wider than their place. */
const overlapping = (page: Page) =>
  page.evaluate(() => {
    const items = [...document.querySelectorAll("nav.main a, .top > :not(.skip)")].map((item) => ({ item, box: item.getBoundingClientRect() }));
    return items
      .filter(
        ({ item, box: a }, place) =>
          item.scrollWidth > item.clientWidth + 1 ||
          items.slice(0, place).some(({ box: b }) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1),
      )
      .map(({ item }) => item.textContent);
  });

test("on paper there is what is known, in black on white, and nothing to press", async ({ person, actor }) => {
  const alice = await actor();
  const bob = await person("Bob", { registered: true, colorScheme: "dark" });
  const id = await alice.offer(bob, { kwh: 40n });
  await alice.act((client) =>
    client.deliver_energy({ agreement_id: id, energy_delivered_kwh: 9n, meter_reading: 9n, provider: alice.address }),
  );
  await bob.open(`agreement/${id}`);
  await bob.page.emulateMedia({ media: "print", colorScheme: "dark" });
  for (const hidden of ["nav.main", "button", "select"]) assert.equal(await bob.page.locator(hidden).filter({ visible: true }).count(), 0, hidden);
  await bob.sees("1.35 XLM");
  const colour = await bob.page.evaluate(() => getComputedStyle(document.querySelector("h1") as Element).color);
  assert.equal(colour, "rgb(28, 35, 33)");
  await bob.page.screenshot({ path: `${process.env.PICTURES}/print.png`, fullPage: true });
});
