// Saves each view as a picture, and has axe look at it, in light and dark.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { check } from "./checks.js";

const { PICTURES = fileURLToPath(new URL("../pictures", import.meta.url)) } = process.env;
mkdirSync(PICTURES, { recursive: true });

const widths = { phone: 390, desktop: 1280 };
const HEIGHT = 844;
const schemes = ["light", "dark"] as const;

export async function show(page: Page, view: string): Promise<void> {
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const [name, width] of Object.entries(widths)) {
      await page.setViewportSize({ width, height: HEIGHT });
      const height = await page.evaluate(() => (document.querySelector("dialog[open]") ? 0 : document.documentElement.scrollHeight));
      // As high as the view, so that what stays at the edge of the screen stays there.
      await page.setViewportSize({ width, height: Math.max(HEIGHT, height) });
      await page.screenshot({ path: `${PICTURES}/${view}-${name}-${colorScheme}.png` });
      await check(`${view}, ${colorScheme}, on a ${name}: axe finds nothing, and nothing is cut off`, async () => {
        const violations = await violationsOf(page);
        if (violations.length > 0) throw new Error(violations.join("\n"));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) throw new Error(`${wide} pixels too wide`);
      });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
}

async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}\n  ${html}\n  ${failureSummary}`),
  );
}
