// LOCALNET, GATEWAY and WASM say where the network's and the gateway's program and the contract are, CHROMIUM where the browser is.

import { fileURLToPath } from "node:url";
import { defineConfig } from "@playwright/test";

const { CARGO_TARGET_DIR: target = fileURLToPath(new URL("../target", import.meta.url)), CHROMIUM = "/usr/bin/chromium" } = process.env;
process.env.LOCALNET ??= `${target}/localnet/release/localnet`;
process.env.GATEWAY ??= `${target}/gateway/debug/p2p-gateway`;
process.env.WASM ??= `${target}/wasm32v1-none/release/peer_to_peer_energy_sharing.wasm`;
process.env.TOKEN_WASM ??= `${target}/page-token/token.wasm`;
process.env.PICTURES ??= `${target}/page-pictures`;

export default defineConfig({
  testDir: "test",
  outputDir: `${target}/page-tests`,
  workers: 2,
  fullyParallel: true,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: "list",
  forbidOnly: true,
  use: {
    launchOptions: { executablePath: CHROMIUM, args: ["--no-sandbox"] },
    actionTimeout: 15_000,
    navigationTimeout: 15_000,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
  },
  projects: [
    // These need neither a browser nor a network.
    { name: "units", testDir: "test/units" },
    { name: "scenes", testDir: "test/scenes" },
  ],
});
