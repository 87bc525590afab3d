// Saves a view as pictures, on phone and desktop, in light and dark, and has axe look at each.

import { mkdirSync } from "node:fs";
import { expect, type Page } from "@playwright/test";
import axe, { type AxeResults } from "axe-core";
import { viewports } from "./person.js";

const { PICTURES = "" } = process.env;
const schemes = ["light", "dark"] as const;

/** Four pictures of a view, in none of which anything is wrong. A scene goes on after one that is. */
export async function pictures(page: Page, view: string): Promise<void> {
  expect.soft(await takePictures(page, view)).toEqual([]);
}

/** Four pictures of a view, and what is wrong in them. */
export async function takePictures(page: Page, view: string): Promise<string[]> {
  const faults: string[] = [];
  mkdirSync(PICTURES, { recursive: true });
  const before = page.viewportSize() ?? viewports.desktop;
  const wasDark = await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const [name, { width, height: least }] of Object.entries(viewports)) {
      await page.setViewportSize({ width, height: least });
      const height = await page.evaluate(() => (document.querySelector("dialog[open]") ? 0 : document.documentElement.scrollHeight));
      // As high as the view, so that what stays at the edge of the screen stays there.
      await page.setViewportSize({ width, height: Math.max(least, height) });
      await page.screenshot({ path: `${PICTURES}/${view}-${name}-${colorScheme}.png` });
      faults.push(...(await faultsOf(page)).map((fault) => `${view}, ${colorScheme}, on a ${name}: ${fault}`));
    }
  }
  await page.emulateMedia({ colorScheme: wasDark ? "dark" : "light" });
  await page.setViewportSize(before);
  return faults;
}

/** Nothing that the page shows now is hard to reach for anybody, as far as axe can tell, or cut off. */
export async function accessible(page: Page): Promise<void> {
  expect(await faultsOf(page)).toEqual([]);
}

async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
  const faults = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n  ${html}\n  ${failureSummary}`),
  );
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  return wide > 0 ? [...faults, `${wide} pixels too wide`] : faults;
}
