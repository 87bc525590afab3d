// Saves a view as pictures, on phone and desktop, in light and dark, and has axe look at each.

import { mkdirSync } from "node:fs";
import { expect, type Page } from "@playwright/test";
import axe, { type AxeResults } from "axe-core";
import { viewports } from "./person.js";

const { PICTURES = "" } = process.env;
const schemes = ["light", "dark"] as const;

/** Four pictures of a view. What is wrong in one hides nothing of the others, nor of what comes after them. */
export async function pictures(page: Page, view: string): Promise<void> {
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
      const variant = `${view}, ${colorScheme}, on a ${name}`;
      expect.soft(await violationsOf(page), `${variant}: axe finds nothing`).toEqual([]);
      expect.soft(await tooWide(page), `${variant}: no pixel is cut off`).toBeLessThanOrEqual(0);
    }
  }
  await page.emulateMedia({ colorScheme: wasDark ? "dark" : "light" });
  await page.setViewportSize(before);
}

/** Nothing that the page shows now is hard to reach for anybody, as far as axe can tell, or cut off. */
export async function accessible(page: Page): Promise<void> {
  expect(await violationsOf(page)).toEqual([]);
  expect(await tooWide(page)).toBeLessThanOrEqual(0);
}

const tooWide = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n  ${html}\n  ${failureSummary}`),
  );
}
