// A person with a browser of their own, who reads and presses what is shown.

import assert from "node:assert/strict";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Freighter } from "./freighter.js";

export interface Site {
  /** The page's address, without a contract. */
  url: string;
  /** The query that opens the contract. */
  query: string;
}

export class Person {
  private constructor(
    readonly name: string,
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly site: Site,
    /** What the page complained about in the console, and whom it asked for something. */
    readonly complaints: string[],
    readonly hosts: Set<string>,
  ) {}

  static async meet(browser: Browser, site: Site, name: string, freighter?: Freighter): Promise<Person> {
    const context = await browser.newContext({
      locale: "en-GB",
      timezoneId: "Europe/Berlin",
      deviceScaleFactor: 2,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await freighter?.install(context);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const complaints: string[] = [];
    const hosts = new Set<string>();
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => hosts.add(new URL(request.url()).host));
    return new Person(name, context, page, site, complaints, hosts);
  }

  /** Opens a view anew, as a reload does. */
  async open(view = "home"): Promise<void> {
    await this.page.goto("about:blank");
    await this.page.goto(`${this.site.url}${this.site.query}#/${view}`);
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
}
