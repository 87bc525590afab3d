// The gateway of all households: their meters' registers on this machine, its configuration, and its program; and a configuration to try one by hand.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Keypair } from "@stellar/stellar-sdk";
import { guard } from "./guard.js";
import type { LocalNetwork } from "./network.js";
import { consumersOf, guest, households, type Household } from "./people.js";
import { keysOf, type State } from "./state.js";

const { GATEWAY = "p2p-gateway" } = process.env;

/** A gateway that is not done by then has said why, and the neighbourhood goes on. */
const MOST_WAIT_MS = 15_000;

/** As far as it is asked for here. */
interface Status {
  /** The ledger's time, as far as the gateway knows it. */
  at: number;
  providers: { state: { name: string } }[];
}

export interface Gateway {
  program: string;
  configPath: string;
  statusUrl: string;
  /** Fails when the program ends before it is stopped. */
  ended: Promise<never>;
  /** What the meters show from now on. */
  show(meterWh: Record<string, number>): void;
  /** Waits until it knows that it is so late on the ledger, and has delivered what was due then. */
  hasDelivered(time: number): Promise<void>;
  stop(): Promise<void>;
}

/** `onLine` hears what it says as soon as all meters have been read. */
export async function startGateway(
  network: LocalNetwork,
  state: State,
  folder: string,
  daySeconds: number,
  onLine: (line: string) => void,
): Promise<Gateway> {
  let shown: Record<string, number> = { ...state.meterWh };
  const meters = createServer(({ url = "" }, answer) => {
    const wh = shown[url.slice(1)];
    answer.writeHead(wh === undefined ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify({ export_wh: wh }));
  });
  const metersUrl = await listen(meters);
  const health = await freePort();
  const names = households.map(({ name }) => name);
  const configPath = writeFiles(folder, state, names, configuration(network, state, metersUrl, health, daySeconds));
  // Nothing of this shell's variables concerns it.
  const program = guard("the gateway", GATEWAY, ["--config", configPath, "run"], { PATH: process.env.PATH });
  let isReady = false;
  let last = "";
  createInterface(program.child.stderr).on("line", (line) => {
    last = line;
    if (isReady) onLine(line);
  });
  const base = `http://127.0.0.1:${health}`;
  const ask = (path: string) => fetch(`${base}/${path}`).catch(() => undefined);
  const ended = program.ended.catch((error: unknown) => {
    throw last.startsWith("error: ") ? new Error(`${error instanceof Error ? error.message : String(error)}: ${last}`) : error;
  });
  ended.catch(() => undefined);
  const gateway: Gateway = {
    program: GATEWAY,
    configPath,
    statusUrl: `${base}/status`,
    ended,
    show(meterWh) {
      shown = { ...meterWh };
    },
    async hasDelivered(time) {
      // It is asked twice: between knowing the time and delivering there is a moment.
      const ends = Date.now() + MOST_WAIT_MS;
      for (let quiet = 0; quiet < 2 && Date.now() < ends; ) {
        const status = (await (await ask("status"))?.json()) as Status | undefined;
        const isQuiet = status && status.at >= time && status.providers.every(({ state }) => state.name !== "delivering");
        quiet = isQuiet ? quiet + 1 : 0;
        await sleep(pauseMs(daySeconds));
      }
    },
    async stop() {
      await program.stop();
      meters.close();
      meters.closeAllConnections();
    },
  };
  try {
    // It believes a meter when a second reading agrees, some seconds later on the ledger.
    const isWell = async () => {
      for (const ends = Date.now() + MOST_WAIT_MS; Date.now() < ends; ) {
        if ((await ask("health"))?.ok) {
          await gateway.hasDelivered(0);
          return;
        }
        await network.advance(1);
        await sleep(100);
      }
      console.log(`The gateway is not well: ${await (await ask("health"))?.text()}`);
    };
    await Promise.race([isWell(), ended]);
  } catch (error) {
    await gateway.stop();
    throw error;
  }
  isReady = true;
  return gateway;
}

/** Writes what a gateway of the guest needs. Her meter shows nothing on the day on which the history begins. */
export function writeGuest(network: LocalNetwork, state: State, folder: string): string {
  const { name, maxPowerKw, meterKwh, buyer } = guest;
  const since = new Date(state.historyStart * 1000);
  const day = [since.getFullYear(), since.getMonth() + 1, since.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
  const text = `${common(network, state)}
[[provider]]
name = "${name}"
address = "${addressOf(state, name)}"
key = "${name}.key"

[provider.meter]
source = "simulated"
peak_watts = ${maxPowerKw * 1000}
start_kwh = ${meterKwh}
since = "${day}"

[[provider.consumer]]
name = "${buyer}"
address = "${addressOf(state, buyer)}"
share = 0.2
pays = "bill"
`;
  return writeFiles(folder, state, [name], text);
}

/** What is exported counts from the first time that a gateway has read the meter. */
export async function beginGuest(configPath: string): Promise<void> {
  await promisify(execFile)(GATEWAY, ["--config", configPath, "run", "--once"], { env: { PATH: process.env.PATH } });
}

function writeFiles(folder: string, { keys }: State, names: string[], configuration: string): string {
  mkdirSync(`${folder}/state`, { recursive: true });
  for (const name of names) writeFileSync(`${folder}/${name}.key`, `${keysOf({ keys }, name).meterSecret}\n`, { mode: 0o600 });
  const configPath = `${folder}/gateway.toml`;
  writeFileSync(configPath, configuration);
  return configPath;
}

const addressOf = (state: State, name: string) => Keypair.fromSecret(keysOf(state, name).secret).publicKey();

const common = (network: LocalNetwork, { contractId }: State) => `# Written by the neighbourhood at each start.
network = "local"
rpc = "${network.rpcUrl}"
contract = "${contractId}"
state = "state"
time_zone = "${Intl.DateTimeFormat().resolvedOptions().timeZone}"
`;

/** How long to wait before it is asked again: a small part of an hour. */
const pauseMs = (daySeconds: number) => Math.min(100, daySeconds);

/**
 * It looks at the ledger's clock after every twelve ledgers, which is to be twice an hour. A reading is believed when the next one agrees, which here may
 * come an hour later, since hours pass at a stroke.
 */
function configuration(network: LocalNetwork, state: State, metersUrl: string, health: number, daySeconds: number): string {
  const hourMs = (daySeconds * 1000) / 24;
  const provider = ({ name, every }: Household) => `
[[provider]]
name = "${name}"
address = "${addressOf(state, name)}"
key = "${name}.key"
every = "${every}"
${every === "day" ? 'at = "18:30"\n' : ""}
[provider.meter]
source = "http"
url = "${metersUrl}/${name}"
pointers = ["/export_wh"]
unit = "Wh"
every = "${between(100, hourMs / 4, 1_000)}ms"
max_age = "3h"
${consumersOf(name)
  .map(
    ({ buyer, share, pays }) => `
[[provider.consumer]]
name = "${buyer}"
address = "${addressOf(state, buyer)}"
share = ${share / 100}
pays = "${pays}"
`,
  )
  .join("")}`;
  return `${common(network, state)}health = "127.0.0.1:${health}"
ledger = "${between(5, hourMs / 24, 200)}ms"
max_fee_per_day = "10"
${households.map(provider).join("")}`;
}

const between = (least: number, value: number, most: number) => Math.floor(Math.max(least, Math.min(value, most)));

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const url = await listen(server);
  server.close();
  await once(server, "close");
  return Number(new URL(url).port);
}
