// The tests of scenes: each has a stage of its own, and fails when its page complains.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { test as base } from "@playwright/test";
import { build, preview } from "vite";
import type { Contract, LocalNetwork } from "../neighbourhood/network.js";
import type { Actor } from "./actor.js";
import type { RpcProxy } from "./proxy.js";
import { Stage } from "./stage.js";
import type { TokenKind } from "./token.js";

interface Fixtures {
  /** What the contract pays with: `test.use({ token: { asset: "EUR" } })`. */
  token: TokenKind;
  /** Whether the network stands in for testnet. */
  asTestnet: boolean;
  stage: Stage;
  network: LocalNetwork;
  contract: Contract;
  /** Stands between the page and the network. */
  rpc: RpcProxy;
  admin: Actor;
  person: Stage["person"];
  actor: Stage["actor"];
  clock: Pick<Stage, "advance" | "now">;
}

interface Shared {
  /** The id with which the page is built for WalletConnect; without one, it is the page that was built before. */
  projectId: string;
  /** The address of the built page, without a contract. */
  siteUrl: string;
}

export const test = base.extend<Fixtures, Shared>({
  siteUrl: [
    async ({ projectId }, use) => {
      const root = fileURLToPath(new URL("..", import.meta.url));
      const outDir = projectId ? mkdtempSync(`${tmpdir()}/page-`) : "dist";
      if (projectId) {
        process.env.VITE_WALLETCONNECT_PROJECT_ID = projectId;
        await build({ root, build: { outDir, emptyOutDir: true }, logLevel: "error" });
      }
      const server = await preview({ root, build: { outDir }, preview: { port: 0, host: "127.0.0.1" }, logLevel: "error" });
      const address = server.httpServer.address();
      if (!address || typeof address === "string") throw new Error("the page is not served");
      await use(`http://127.0.0.1:${address.port}/`);
      await server.close();
      if (projectId) rmSync(outDir, { recursive: true });
    },
    { scope: "worker" },
  ],
  projectId: ["", { option: true, scope: "worker" }],
  token: ["native", { option: true }],
  asTestnet: [false, { option: true }],
  stage: async ({ browser, siteUrl, token, asTestnet }, use) => {
    const stage = await Stage.open(browser, siteUrl, token, asTestnet);
    try {
      await use(stage);
      stage.check();
    } finally {
      await stage.close();
    }
  },
  network: ({ stage }, use) => use(stage.network),
  contract: ({ stage }, use) => use(stage.contract),
  rpc: ({ stage }, use) => use(stage.rpc),
  admin: ({ stage }, use) => use(stage.admin),
  person: ({ stage }, use) => use((name, options) => stage.person(name, options)),
  actor: ({ stage }, use) => use((options) => stage.actor(options)),
  clock: ({ stage }, use) => use(stage),
});
