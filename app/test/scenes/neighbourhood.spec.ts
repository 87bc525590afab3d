// The neighbourhood as its own program: it begins, its gateway delivers, it goes on after a restart, keeps its books, and leaves nothing behind.

import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { test } from "@playwright/test";
import { Keypair } from "@stellar/stellar-sdk";
import { TransactionStatus } from "../../client/src/index.js";
import { Chain } from "../../src/chain/chain.js";
import { openToken } from "../../src/chain/token.js";
import { findNetwork } from "../../src/chain/networks.js";
import { startNetwork } from "../../neighbourhood/network.js";
import { consumersOf, guest, households } from "../../neighbourhood/people.js";
import { STARTING_EUR } from "../../neighbourhood/setup.js";
import { readState, writeState, type State } from "../../neighbourhood/state.js";

const program = fileURLToPath(new URL("../../build/neighbourhood/run.js", import.meta.url));
const EUR = 10_000_000n;

/** One start of the program. */
class Run {
  output = "";
  private readonly child: ChildProcess;
  private readonly exit: Promise<unknown[]>;

  constructor(folder: string, env: Record<string, string> = {}) {
    const given = { FOLDER: folder, PORT: "0", HISTORY_DAYS: "3", DAY_SECONDS: "4", START: "2040-06-18", TZ: "UTC" };
    this.child = spawn(process.execPath, [program], { env: { ...process.env, ...given, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on("data", (text: Buffer) => (this.output += text.toString()));
    this.exit = once(this.child, "exit");
  }

  /** Waits for a line of the output. */
  async says(text: RegExp): Promise<string> {
    for (const ends = Date.now() + 60_000; Date.now() < ends; ) {
      const found = text.exec(this.output);
      if (found) return found[1] ?? found[0];
      await sleep(50);
      assert.equal(this.child.exitCode, null, this.output);
    }
    throw new Error(`no ${text} in\n${this.output}`);
  }

  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal) this.child.kill(signal);
    const [code] = await this.exit;
    return code as number | null;
  }
}

/** The processes that have this text in their command. */
const processes = (text: string): number[] =>
  execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(text))
    .map((line) => Number.parseInt(line, 10));

async function noneLeft(folder: string): Promise<void> {
  for (let tries = 0; tries < 40 && processes(folder).length > 0; tries++) await sleep(50);
  assert.deepEqual(processes(folder), []);
}

function stateIn(folder: string): State {
  const state = readState(join(folder, "state.json"));
  assert.ok(state);
  return state;
}

/** Reads all that is on the ledger while nobody acts, and holds it against itself and the meters; what was delivered by the end of the history. */
async function checkBooks(folder: string): Promise<Record<string, bigint>> {
  const { contractId, tokenId, keys, historyEnd, meterWh } = stateIn(folder);
  const network = await startNetwork({ stateFile: join(folder, "network.log") });
  try {
    const place = findNetwork("local", network.rpcUrl);
    assert.ok(place);
    const chain = new Chain({ network: place, contractId }, { recall: () => undefined, remember: () => undefined });
    const token = await openToken(chain, tokenId);
    const names = new Map(Object.entries(keys).map(([name, { secret }]) => [Keypair.fromSecret(secret).publicKey(), name]));
    const balances = new Map([...households, guest].map(({ name }) => [name, BigInt(STARTING_EUR) * EUR]));
    const move = (name: string, amount: bigint) => balances.set(name, (balances.get(name) ?? 0n) + amount);
    const delivered: Record<string, bigint> = {};
    const live = new Map<string, { kwh: bigint; from: bigint }>();
    let escrow = 0n;
    for (const [address, name] of names) {
      const prosumer = await chain.prosumer(address);
      if (!prosumer) continue;
      let sold = 0n;
      for await (const { agreement, state } of chain.entries(address)) {
        const { agreement_id, provider, consumer, price_per_kwh } = agreement;
        if (provider !== address) continue;
        const deliveries = await chain.transactions(agreement_id);
        let [kwh, pending, disputed] = [0n, 0n, 0n];
        const buyer = names.get(consumer) ?? consumer;
        const pair = `${name} to ${buyer}`;
        const since = live.get(pair) ?? { kwh: 0n, from: prosumer.meter_start };
        live.set(pair, since);
        for (const { energy_delivered_kwh, payment_amount, status, delivered_at, meter_reading } of deliveries) {
          assert.equal(payment_amount, energy_delivered_kwh * price_per_kwh);
          kwh += energy_delivered_kwh;
          if (status === TransactionStatus.Disputed) disputed += payment_amount;
          if (status !== TransactionStatus.Settled) pending += payment_amount;
          else {
            move(name, payment_amount);
            move(buyer, -payment_amount);
          }
          if (Number(delivered_at) > historyEnd) since.kwh += energy_delivered_kwh;
          else {
            delivered[pair] = (delivered[pair] ?? 0n) + energy_delivered_kwh;
            if (meter_reading > since.from) since.from = meter_reading;
          }
        }
        assert.deepEqual([state.energy_delivered_kwh, state.pending_amount, state.disputed_amount], [kwh, pending, disputed]);
        sold += kwh;
        escrow += state.escrow_amount;
        move(buyer, -state.escrow_amount);
      }
      assert.equal(prosumer.energy_sold_kwh, sold, name);
      assert.ok(prosumer.meter_reading - prosumer.meter_start >= sold, name);
      if (name === guest.name) continue;
      assert.ok(Number(prosumer.meter_reading) * 1000 <= (meterWh[name] ?? 0), name);
      // Whatever happened, the gateway has delivered nobody more than its share of what the meter has counted since the history.
      for (const { buyer, share } of consumersOf(name)) {
        const { kwh, from } = live.get(`${name} to ${buyer}`) ?? { kwh: 0n, from: 0n };
        const sharedWh = (((meterWh[name] ?? 0) - Number(from) * 1000) * share) / 100;
        assert.ok(Number(kwh) * 1000 <= sharedWh, `${name} to ${buyer}: ${kwh} kWh of ${sharedWh} Wh`);
      }
    }
    for (const [address, name] of names) assert.equal(await token.balance(address), balances.get(name) ?? 0n, name);
    assert.equal(await token.balance(contractId), escrow);
    const all = [...balances.values()].reduce((sum, balance) => sum + balance, escrow);
    assert.equal(all, BigInt(STARTING_EUR) * EUR * BigInt(households.length + 1));
    return delivered;
  } finally {
    await network.stop();
  }
}

const ask = async (url: string, host?: string): Promise<IncomingMessage> => {
  const [answer] = (await once(get(url, { headers: host ? { host } : {} }), "response")) as [IncomingMessage];
  return answer;
};

test.describe.serial("a neighbourhood in one program", () => {
  let folder: string;
  let first: State;

  test.beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "neighbourhood-"));
  });
  test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("it begins with a history, then time passes, and each link opens somebody on a page that is only its own", async () => {
    const run = new Run(folder);
    const link = await run.says(/as Bob +(\S+)/);
    await run.says(/Thu 21 Jun \d\d:00 {2}gateway {2}Frank: delivered \d+ kWh to agreement \d+ at \d+ kWh\n/);
    await run.says(/Thu 21 Jun \d\d:00 {2}Frank’s meter delivers \d+ kWh to /);
    const status = await fetch(await run.says(/gateway +(http\S+\/status)/));
    const { providers } = (await status.json()) as { providers: { name: string }[] };
    assert.deepEqual(providers.map(({ name }) => name), households.map(({ name }) => name));
    for (const { name } of households) assert.equal(statSync(join(folder, "gateway", `${name}.key`)).mode & 0o777, 0o600);
    const { address, secret } = { address: new URL(link), secret: link.split("/").at(-1) ?? "" };
    assert.ok(link.startsWith(`http://127.0.0.1:${address.port}/#/play/S`));
    first = stateIn(folder);
    const opened = await ask(address.origin);
    assert.equal(opened.statusCode, 302);
    const rpc = encodeURIComponent(`http://localhost:${first.networkPort}/rpc`);
    assert.equal(opened.headers.location, `/?contract=${first.contractId}&network=local&rpc=${rpc}`);
    assert.equal((await fetch(`${address.origin}//`)).status, 404);
    const names = (await (await fetch(`${address.origin}/neighbours.json`)).json()) as Record<string, string>;
    assert.equal(names[Keypair.fromSecret(secret).publicKey()], "Bob");
    assert.equal(Object.keys(names).length, households.length + 2);
    assert.equal((await ask(`${address.origin}/?page`, "example.org")).statusCode, 404);
    assert.equal((await ask(`${address.origin}/state.json`)).statusCode, 404);
    assert.equal(await run.end("SIGINT"), 0);
    assert.match(run.output, /goes on from here/);
    assert.doesNotMatch(run.output, /cannot|error/i);
    await noneLeft(folder);
  });

  test("no euro comes or goes, and each kWh is paid or waits to be", async () => {
    assert.deepEqual(await checkBooks(folder), {
      "Alice to Bob": 23n,
      "Alice to Dave": 15n,
      "Carol to Bob": 24n,
      "Carol to Erin": 24n,
      "Frank to Alice": 20n,
      "Frank to Dave": 39n,
      "Frank to Erin": 39n,
    });
  });

  test("it goes on where it was, with the same contract, network and people", async () => {
    const { time } = stateIn(folder);
    const run = new Run(folder, { START: "", HISTORY_DAYS: "20" });
    await run.says(/delivers/);
    assert.equal(await run.end("SIGTERM"), 0);
    assert.doesNotMatch(run.output, /history|meanwhile|cannot|error/i);
    const after = stateIn(folder);
    assert.ok(after.time > time && after.time < time + 3 * 86_400);
    assert.deepEqual(
      [after.contractId, after.networkPort, after.keys, after.historyEnd],
      [first.contractId, first.networkPort, first.keys, first.historyEnd],
    );
    await checkBooks(folder);
  });

  test("killed, it leaves no process, and goes on", async () => {
    const run = new Run(folder);
    await run.says(/delivers/);
    assert.equal(await run.end("SIGKILL"), null);
    await noneLeft(folder);
    const again = new Run(folder);
    await again.says(/delivers/);
    assert.doesNotMatch(again.output, /cannot|error/i);
    assert.equal(await again.end("SIGINT"), 0);
    await checkBooks(folder);
  });

  test("a gateway can be tried by hand, and delivers once", async () => {
    const run = new Run(folder, { DAY_SECONDS: "3600" });
    await run.says(/A day takes/);
    const once = () => execFileSync(process.env.GATEWAY ?? "", ["--config", join(folder, "guest", "gateway.toml"), "run", "--once"], { encoding: "utf8" });
    assert.match(once(), /^Grace: delivered \d+ kWh to agreement 6000001 at \d+ kWh\n/);
    assert.match(once(), /^Grace: nothing is due\n/);
    assert.equal(await run.end("SIGINT"), 0);
    await checkBooks(folder);
  });

  for (const [name, option] of [["network", "--state-file"], ["gateway", "--config"]] as const)
    test(`when the ${name} ends, all ends with an error`, async () => {
      const run = new Run(folder);
      await run.says(/A day takes/);
      for (const pid of processes(`${option} ${folder}`)) if (!isShell(pid)) process.kill(pid, "SIGKILL");
      assert.equal(await run.end(), 1);
      assert.match(run.output, new RegExp(`error: the ${name} ended with 137\n$`));
      await noneLeft(folder);
    });

  test("it runs once", async () => {
    const run = new Run(folder);
    await run.says(/A day takes/);
    for (const second of ["0", "1"].map((FRESH) => new Run(folder, { FRESH }))) {
      assert.equal(await second.end(), 1);
      assert.match(second.output, /^error: Port \d+ is taken: this neighbourhood seems to run already, so end that first\n$/);
    }
    assert.equal(await run.end("SIGINT"), 0);
  });

  test("ports that are taken are told", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const port = String((other.address() as AddressInfo).port);
    for (const name of ["PORT", "NETWORK_PORT"]) {
      const run = new Run(folder, { [name]: port });
      assert.equal(await run.end(), 1);
      const told = `error: Port ${port} is taken by another program: end that, or choose another port with ${name}=…\n`;
      assert.ok(run.output.endsWith(told), run.output);
    }
    other.close();
    await noneLeft(folder);
  });

  test("a state that does not fit is told, and FRESH=1 begins anew", async () => {
    const state = stateIn(folder);
    const path = join(folder, "state.json");
    const misfits: [Partial<State>, string][] = [
      [{ passphrase: "Test SDF Network ; September 2015" }, "it is of the network “Test SDF Network ; September 2015”"],
      [{ contractId: state.tokenId }, `the contract ${state.tokenId} is not on it`],
      [{ tokenId: state.contractId }, `the contract ${state.contractId} has another admin or token`],
    ];
    for (const [change, why] of misfits) {
      writeState(path, { ...state, ...change });
      const run = new Run(folder);
      assert.equal(await run.end(), 1);
      assert.ok(run.output.endsWith(`error: ${path} does not fit the network: ${why}. FRESH=1 begins anew.\n`), run.output);
    }
    const run = new Run(folder, { FRESH: "1", HISTORY_DAYS: "1" });
    await run.says(/A day takes/);
    assert.equal(await run.end("SIGINT"), 0);
    assert.notEqual(stateIn(folder).contractId, state.contractId);
  });

  test("what cannot be asked for is told", async () => {
    const asked = { DAY_SECONDS: "0", HISTORY_DAYS: "x", PORT: "70000" };
    const runs = Object.entries(asked).map(([name, value]) => ({ name, value, run: new Run(folder, { [name]: value }) }));
    for (const { name, value, run } of runs) {
      assert.equal(await run.end(), 1);
      assert.match(run.output, new RegExp(`^error: ${name}=${value} is not a whole number from \\d+ to \\d+\n$`));
    }
  });
});

const isShell = (pid: number) => execFileSync("ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" }).trim() === "sh";
