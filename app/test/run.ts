// All checks of the page: LOCALNET and WASM say where the network's program and the contract are, CHROMIUM where the browser is.

import { fileURLToPath } from "node:url";
import { Keypair } from "@stellar/stellar-sdk";
import { chromium } from "playwright-core";
import { preview } from "vite";
import { summary, story } from "./checks.js";
import { deploy, startNetwork } from "../neighbourhood/network.js";
import { energy } from "./energy.js";
import { contractLimits } from "./limits.js";
import { month } from "./month.js";
import { neighbourhood } from "./neighbourhood.js";
import { playKeys } from "./playKeys.js";
import { trouble } from "./trouble.js";
import { units } from "./units.js";

const { CHROMIUM = "/usr/bin/chromium" } = process.env;
const root = fileURLToPath(new URL("../..", import.meta.url));

await story("Numbers and sums", units);
await story("Limits", contractLimits);
await story("Play keys", playKeys);
await story("Sun and loads", energy);
await story("A neighbourhood in one program", neighbourhood);

const network = await startNetwork();
const server = await preview({ root, preview: { port: 0, host: "127.0.0.1" }, logLevel: "error" });
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
try {
  const address = server.httpServer.address();
  if (!address || typeof address === "string") throw new Error("the page is not served");
  const admin = Keypair.random();
  const contract = await deploy(network, admin);
  const query = `?${new URLSearchParams({ contract: contract.contractId, network: "local", rpc: network.rpcUrl })}`;
  const site = { url: `http://127.0.0.1:${address.port}/`, query };
  await story("A month among neighbours", () => month(browser, site, network, contract, admin));
  await story("What goes wrong", () => trouble(browser, site, network, contract));
} finally {
  await browser.close();
  await server.close();
  await network.stop();
}
process.exit(summary());
