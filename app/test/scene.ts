// The tests of scenes: each has a stage of its own, and fails when its page complains.

import { fileURLToPath } from "node:url";
import { test as base } from "@playwright/test";
import { preview } from "vite";
import type { Contract, LocalNetwork } from "../neighbourhood/network.js";
import type { Actor } from "./actor.js";
import type { RpcProxy } from "./proxy.js";
import { Stage } from "./stage.js";
import type { TokenKind } from "./token.js";

interface Fixtures {
  /** What the contract pays with: `test.use({ token: { asset: "EUR" } })`. */
  token: TokenKind;
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
  /** The address of the built page, without a contract. */
  siteUrl: string;
}

export const test = base.extend<Fixtures, Shared>({
  siteUrl: [
    async ({}, use) => {
      const root = fileURLToPath(new URL("..", import.meta.url));
      const server = await preview({ root, preview: { port: 0, host: "127.0.0.1" }, logLevel: "error" });
      const address = server.httpServer.address();
      if (!address || typeof address === "string") throw new Error("the page is not served");
      await use(`http://127.0.0.1:${address.port}/`);
      await server.close();
    },
    { scope: "worker" },
  ],
  token: ["native", { option: true }],
  stage: async ({ browser, siteUrl, token }, use) => {
    const stage = await Stage.open(browser, siteUrl, token);
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
