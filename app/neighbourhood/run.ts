// The neighbourhood in one program: a network, the contract, six households with their gateway, and the page, until Ctrl-C.

import { mkdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Keypair, Networks } from "@stellar/stellar-sdk";
import { placeQuery } from "../src/person/place.js";
import { Driver } from "./driver.js";
import { hourAt } from "./energy.js";
import { clock, Follower, tell } from "./follow.js";
import { beginGuest, startGateway, writeGuest, type Gateway } from "./gateway.js";
import { openContract, startNetwork, type LocalNetwork } from "./network.js";
import { COOP, guest, households, played } from "./people.js";
import { codeHash, found } from "./setup.js";
import { serve } from "./site.js";
import { keysOf, readState, writeState, type State } from "./state.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
/** When the first day begins, in hours of local time. */
const DAWN = 6;

const folder = process.env.FOLDER ?? "";
const statePath = `${folder}/state.json`;
const networkPath = `${folder}/network.log`;
const gatewayPath = `${folder}/gateway`;
const guestPath = `${folder}/guest`;

/** What was asked for cannot be done: a sentence is enough. */
class Refusal extends Error {}

const refuse = (error: unknown) => Promise.reject(new Refusal(error instanceof Error ? error.message : String(error)));

function wholeNumber(name: string, otherwise: number, least: number, most: number): number {
  const text = process.env[name] || String(otherwise);
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new Refusal(`${name}=${text} is not a whole number from ${least} to ${most}`);
  return value;
}

/** Shows that something goes on, and how long it took. */
function progress(what: string): (note?: string) => void {
  const start = performance.now();
  const text = (note: string) => `${what} … ${note}`;
  if (process.stdout.isTTY) process.stdout.write(text(""));
  return (note) => {
    const took = `${Math.round((performance.now() - start) / 1000)} s`;
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text(note ?? took)}${note ? "" : "\n"}`);
    else if (!note) console.log(text(took));
  };
}

const taken = (port: number, variable: string) =>
  new Refusal(`Port ${port} is taken by another program: end that, or choose another port with ${variable}=…`);

/** The state of before; undefined for a new beginning, which removes what is left of it. */
async function stateOfBefore(): Promise<State | undefined> {
  const state = readState(statePath);
  if (state && (await isTaken(state.networkPort)))
    throw new Refusal(`Port ${state.networkPort} is taken: this neighbourhood seems to run already, so end that first`);
  mkdirSync(folder, { recursive: true });
  if (!state || process.env.FRESH === "1") {
    for (const path of [statePath, networkPath, gatewayPath, guestPath]) rmSync(path, { recursive: true, force: true });
    return undefined;
  }
  const standalone: string = Networks.STANDALONE;
  if (!state.keys[guest.name]) throw new Refusal(misfit(`it has no ${guest.name}`));
  if (state.passphrase !== standalone) throw new Refusal(misfit(`it is of the network “${state.passphrase}”`));
  return state;
}

function isTaken(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const answered = new Promise<boolean>((resolve) => socket.on("connect", () => resolve(true)).on("error", () => resolve(false)));
  return answered.finally(() => socket.destroy());
}

const misfit = (why: string) => `${statePath} does not fit the network: ${why}. FRESH=1 begins anew.`;

async function checkContract(network: LocalNetwork, { contractId, tokenId, codeHash: deployed, keys }: State): Promise<void> {
  const config = await openContract(network, contractId, tokenId)
    .client()
    .get_config()
    .then(({ result }) => result.unwrap())
    .catch(() => undefined);
  if (!config) throw new Refusal(misfit(`the contract ${contractId} is not on it`));
  const admin = Keypair.fromSecret(keysOf({ keys }, COOP).secret).publicKey();
  if (config.admin !== admin || config.token_contract !== tokenId)
    throw new Refusal(misfit(`the contract ${contractId} has another admin or token`));
  if (codeHash() !== deployed) console.log("The contract’s code has changed since it was deployed here: FRESH=1 begins anew with it.");
}

/** The first dawn from now on, or on the day that START names. */
function firstDawn(now: number): number {
  const { START } = process.env;
  const date = START ? new Date(`${START}T00:00:00`) : new Date(now * 1000);
  if (Number.isNaN(date.getTime())) throw new Refusal(`START=${START} is not a date like 2027-06-21`);
  date.setHours(DAWN, 0, 0, 0);
  const dawn = date.getTime() / 1000;
  if (dawn > now) return dawn;
  if (START) throw new Refusal(`START=${START} has begun already: choose a later day`);
  return dawn + DAY;
}

const ledgerTime = async ({ server }: LocalNetwork) => Number((await server.getLatestLedger()).closeTime);

async function advanceTo(network: LocalNetwork, time: number): Promise<void> {
  const left = time - (await ledgerTime(network));
  if (left > 0) await network.advance(left);
}

const tellAt = (time: number, what: string) => console.log(`${clock(time)}  ${what}`);

const driverOf = (network: LocalNetwork, state: State) => new Driver(network, state, (what) => tellAt(state.time, what));

async function begin(network: LocalNetwork, networkPort: number, days: number): Promise<State> {
  const done = progress("households, meters and euros");
  const start = firstDawn(await ledgerTime(network));
  await advanceTo(network, start - HOUR);
  const { contract, keys } = await found(network);
  const state: State = {
    passphrase: network.passphrase,
    contractId: contract.contractId,
    tokenId: contract.tokenId,
    codeHash: codeHash(),
    networkPort,
    keys,
    historyStart: start,
    historyEnd: start + days * DAY,
    time: start,
    meterWh: Object.fromEntries(households.map(({ name, meterKwh }) => [name, meterKwh * 1000])),
    pairs: {},
  };
  const { buyer, kwh, price } = guest;
  await driverOf(network, state).offer({ seller: guest.name, buyer }, kwh, price, 300 * DAY);
  await beginGuest(writeGuest(network, state, guestPath));
  writeState(statePath, state);
  done();
  return state;
}

async function run(stopping: AbortSignal): Promise<void> {
  const daySeconds = wholeNumber("DAY_SECONDS", 60, 1, DAY);
  const days = wholeNumber("HISTORY_DAYS", 30, 1, 300);
  const pagePort = wholeNumber("PORT", 4173, 0, 65_535);
  const before = await stateOfBefore();
  const networkPort = wholeNumber("NETWORK_PORT", before?.networkPort ?? 0, 0, 65_535);
  for (const [port, variable] of [[networkPort, "NETWORK_PORT"], [pagePort, "PORT"]] as const)
    if (port && (await isTaken(port))) throw taken(port, variable);
  const starting = progress("the network");
  const network = await startNetwork({ port: networkPort, stateFile: networkPath });
  starting();
  let site: Awaited<ReturnType<typeof serve>> | undefined;
  try {
    const play = async () => {
      if (before) await checkContract(network, before);
      const state = before ?? (await begin(network, Number(new URL(network.url).port), days));
      state.networkPort = Number(new URL(network.url).port);
      const addresses = Object.entries(state.keys).map(([name, { secret }]) => [Keypair.fromSecret(secret).publicKey(), name]);
      const neighbours = Object.fromEntries(addresses) as Record<string, string>;
      const page = fileURLToPath(new URL("../../dist", import.meta.url));
      const query = placeQuery({ contractId: state.contractId, network: "local", rpc: network.rpcUrl });
      site = await serve(page, pagePort, query, neighbours);
      await live(network, state, site.url, neighbours, daySeconds, stopping);
    };
    const ended = network.ended.catch(refuse);
    // What fails because the network has ended is told after the reason.
    const playing = play().catch(async (error: unknown) => {
      await sleep(200);
      throw error;
    });
    await Promise.race([playing, ended]);
  } finally {
    site?.stop();
    await network.stop();
  }
}

async function live(
  network: LocalNetwork,
  state: State,
  siteUrl: string,
  neighbours: Record<string, string>,
  daySeconds: number,
  stopping: AbortSignal,
): Promise<void> {
  const nameOf = (address: string) => neighbours[address] ?? `${address.slice(0, 4)}…${address.slice(-4)}`;
  const say = (what: string, time = state.time) => tellAt(time, what);
  const driver = driverOf(network, state);
  await driver.open();
  if (driver.inHistory) await playHistory(network, driver, state, stopping);
  const isStopping = () => stopping.aborted;
  if (isStopping()) return;
  driver.countUntil(await ledgerTime(network));
  const client = openContract(network, state.contractId, state.tokenId).client();
  const follower = new Follower(network.server, client, state.contractId, (await network.server.getLatestLedger()).sequence + 1);
  writeGuest(network, state, guestPath);
  const starting = progress("the gateway");
  const gateway = await startGateway(network, state, gatewayPath, daySeconds, (line) => say(sentenceOf(line))).catch(refuse);
  starting();
  const play = async () => {
    welcome(network, state, siteUrl, gateway, daySeconds);
    const tempo = (daySeconds * 1000) / 24;
    for (let next = performance.now() + tempo; ; next = Math.max(next, performance.now() - tempo) + tempo) {
      await sleep(Math.max(0, next - performance.now()), undefined, { signal: stopping }).catch(() => undefined);
      if (isStopping()) return;
      // A gateway learns the time now and then, so meters show an hour only when it knows that the hour has passed.
      await gateway.hasDelivered(state.time);
      if (isStopping()) return;
      gateway.show(state.meterWh);
      await advanceTo(network, state.time + HOUR);
      await driver.playHour();
      writeState(statePath, state);
      for (const { time, events } of await follower.read()) for (const sentence of tell(events, nameOf)) say(sentence, time);
    }
  };
  try {
    await Promise.race([play(), gateway.ended.catch(refuse)]);
  } finally {
    await gateway.stop();
  }
}

/** A line of the gateway’s log without its own time, and its level if it is an information. */
const sentenceOf = (line: string) => `gateway  ${line.replace(/^\S+ (info: )?/, "")}`;

async function playHistory(network: LocalNetwork, driver: Driver, state: State, stopping: AbortSignal): Promise<void> {
  const days = (state.historyEnd - state.historyStart) / DAY;
  const show = progress(`${days} days of history`);
  while (driver.inHistory && !stopping.aborted) {
    await advanceTo(network, state.time + HOUR);
    await driver.playHour();
    if (hourAt(state.time).hour === 0) {
      writeState(statePath, state);
      show(`day ${Math.ceil((state.time - state.historyStart) / DAY)}`);
    }
  }
  writeState(statePath, state);
  show();
}

/** A path as it is typed here. */
const near = (path: string) => (isAbsolute(path) ? relative("", path) : path);

function welcome(network: LocalNetwork, { contractId, tokenId, keys }: State, siteUrl: string, gateway: Gateway, daySeconds: number): void {
  console.log(`
  network   ${network.rpcUrl}  (${network.passphrase})
  contract  ${contractId}
  euro      ${tokenId}
  gateway   ${gateway.statusUrl}
  page      ${siteUrl}

Ask the gateway for the meters, the chain and what is due:

  ${near(gateway.program)} --config ${near(gateway.configPath)} status

Open a tab for each whom you want to play. The play keys are for this machine’s network only.
`);
  const lively = [...played, COOP];
  const names = [...lively, ...Object.keys(keys).filter((name) => !lively.includes(name))];
  for (const name of names) {
    const view = name === COOP ? "/admin" : "";
    console.log(`  as ${name.padEnd(COOP.length)}  ${siteUrl}#/play/${keysOf({ keys }, name).secret}${view}`);
  }
  console.log(`
A day takes ${daySeconds} s. ${played.join(", ")} and ${COOP} do nothing by themselves, all others do. Ctrl-C ends it.
`);
}

/** The first signal ends it after the hour that is being played, the second at once. */
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => (stop.signal.aborted ? process.exit(1) : stop.abort()));
try {
  await run(stop.signal);
  console.log("\nStopped. The next start goes on from here.");
} catch (error) {
  console.error(`error: ${error instanceof Refusal ? error.message : error instanceof Error ? error.stack : String(error)}`);
  process.exitCode = 1;
}
// Whatever still waits for an answer of the network waits in vain.
process.exit();
