// A person with a browser of their own, who reads and presses what is shown.

import assert from "node:assert/strict";
import { Networks, type Keypair } from "@stellar/stellar-sdk";
import type { Browser, BrowserContext, Page } from "@playwright/test";
import type { Actor } from "./actor.js";
import { Freighter } from "./freighter.js";

export const viewports = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 844 } };

export interface PersonOptions {
  keypair?: Keypair;
  /** Whether the account exists. */
  funded?: boolean;
  /** Whether the contract knows the person. */
  registered?: boolean;
  /** A stand-in for Freighter, or a key that the browser keeps. */
  wallet?: "freighter" | "browser" | "none";
  /** Whether the page remembers the wallet from before. */
  connected?: boolean;
  viewport?: keyof typeof viewports;
  locale?: string;
  /** What the browser says that it is. */
  userAgent?: string;
  colorScheme?: "light" | "dark";
}

/** Where the page is, and the query that opens the contract there. */
interface Place {
  readonly siteUrl: string;
  readonly query: string;
}

export class Person {
  private constructor(
    readonly name: string,
    readonly actor: Actor,
    readonly freighter: Freighter,
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly place: Place,
    /** What the page complained about in the console, and whom it asked for something. */
    readonly complaints: string[],
    readonly hosts: Set<string>,
  ) {}

  static async meet(browser: Browser, place: Place, name: string, actor: Actor, options: PersonOptions): Promise<Person> {
    const { wallet = "freighter", connected = true, viewport = "desktop", locale = "en-GB", userAgent, colorScheme = "light" } = options;
    const freighter = new Freighter(actor.keypair, Networks.STANDALONE);
    freighter.allowed = connected;
    const remembered: Record<string, string> = {};
    if (wallet === "browser") remembered["key on local"] = actor.keypair.secret();
    if (wallet !== "none" && connected) remembered.wallet = wallet;
    const localStorage = Object.entries(remembered).map(([name, value]) => ({ name, value: JSON.stringify(value) }));
    const context = await browser.newContext({
      storageState: { cookies: [], origins: [{ origin: new URL(place.siteUrl).origin, localStorage }] },
      locale,
      userAgent,
      colorScheme,
      timezoneId: "Europe/Berlin",
      viewport: viewports[viewport],
      isMobile: viewport === "phone",
      hasTouch: viewport === "phone",
      deviceScaleFactor: 2,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    if (wallet === "freighter") await freighter.install(context);
    const page = await context.newPage();
    const complaints: string[] = [];
    const hosts = new Set<string>();
    context.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    context.on("weberror", (error) => complaints.push(String(error.error())));
    context.on("request", (request) => {
      const { protocol, host } = new URL(request.url());
      // A link that opens an app asks no server.
      if (["http:", "https:"].includes(protocol)) hosts.add(host);
    });
    return new Person(name, actor, freighter, context, page, place, complaints, hosts);
  }

  /** Has what the page asks of one server answered by another. */
  async redirect(from: string, to: string): Promise<void> {
    await this.context.route(`${from}/**`, async (route) => {
      const answer = await fetch(`${to}/rpc`, { method: "POST", body: route.request().postData() });
      const headers = { "content-type": "application/json", "access-control-allow-origin": "*" };
      await route.fulfill({ status: answer.status, body: await answer.text(), headers });
    });
  }

  get address(): string {
    return this.actor.address;
  }

  /** Opens a view anew, as a reload does. */
  async open(view = "home"): Promise<void> {
    await this.page.goto("about:blank");
    await this.page.goto(`${this.place.siteUrl}${this.place.query}#/${view}`);
    await this.page.locator("h1").first().waitFor();
    await this.quiet();
  }

  /** Opens a link that somebody sent. */
  async follow(link: string): Promise<void> {
    await this.page.goto("about:blank");
    await this.page.goto(link);
    await this.quiet();
  }

  /** Waits until nothing is being read. */
  async quiet(): Promise<void> {
    await this.page.locator(".loading").first().waitFor({ state: "detached" });
  }

  /** Waits until a whole second has passed in which the page asked nothing of the network. */
  async settled(rpc: { count(): number }): Promise<void> {
    for (let before = -1; before !== rpc.count(); ) {
      before = rpc.count();
      await this.page.waitForTimeout(1000);
    }
    await this.quiet();
  }

  button(name: string | RegExp) {
    return this.page.getByRole("button", { name, exact: true });
  }

  async press(name: string | RegExp): Promise<void> {
    await this.button(name).first().click();
  }

  async fill(label: string | RegExp, text: string): Promise<void> {
    await this.page.getByLabel(label).first().fill(text);
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).filter({ visible: true }).first().waitFor();
  }

  async text(): Promise<string> {
    return this.page.locator("main").innerText();
  }

  get dialog() {
    return this.page.getByRole("dialog");
  }

  /** What the page says before it is signed. */
  async review(): Promise<string> {
    await this.dialog.getByRole("button", { name: "Sign", exact: true }).waitFor();
    return this.dialog.innerText();
  }

  /** Signs what is shown, and returns how it ended. */
  async sign(...expected: string[]): Promise<string> {
    const shown = await this.review();
    for (const text of expected) assert.ok(shown.includes(text), `${this.name} should be shown “${text}” but sees:\n${shown}`);
    await this.dialog.getByRole("button", { name: "Sign", exact: true }).click();
    await this.dialog.locator("[data-hash], [data-link], .notice.problem").first().waitFor();
    return this.dialog.innerText();
  }

  /** Signs, and closes the dialog at the end that is expected. */
  async signs(end: string, ...expected: string[]): Promise<string> {
    const shown = await this.sign(...expected);
    assert.ok(shown.includes(end), `${this.name} should be told “${end}” but is told:\n${shown}`);
    await this.closeDialog();
    return shown;
  }

  /** Signs first, and takes the link for the other person. */
  async signsFirst(): Promise<string> {
    await this.sign();
    const link = await this.dialog.locator("[data-link]").getAttribute("data-link");
    assert.ok(link);
    await this.closeDialog();
    return link;
  }

  async closeDialog(): Promise<void> {
    await this.dialog.getByRole("button", { name: "Close", exact: true }).click();
    await this.dialog.waitFor({ state: "hidden" });
    await this.quiet();
  }

  /** Leaves the dialog without a signature. */
  async declines(): Promise<void> {
    await this.dialog.getByRole("button", { name: "Not now", exact: true }).click();
    await this.dialog.waitFor({ state: "hidden" });
  }

  /** Takes out what the page complained about, which the scene has brought about. */
  complained(about: RegExp): void {
    const others = this.complaints.filter((text) => !about.test(text));
    assert.ok(others.length < this.complaints.length, `${this.name}’s page should complain about ${about}`);
    this.complaints.splice(0, Infinity, ...others);
  }
}
