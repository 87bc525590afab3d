// Accounts with several signers: a call travels as a link until it has its signatures.

import assert from "node:assert/strict";
import {
  Account,
  Address,
  Asset,
  Contract,
  Keypair,
  Memo,
  MuxedAccount,
  nativeToScVal,
  Operation,
  SorobanDataBuilder,
  TransactionBuilder,
  xdr,
  type FeeBumpTransaction,
  type Transaction,
} from "@stellar/stellar-sdk";
import { submit, type LocalNetwork } from "../../neighbourhood/network.js";
import type { Person } from "../person.js";
import { accessible, pictures } from "../pictures.js";
import { dropBefore } from "../proxy.js";
import { test } from "../scene.js";

// Three people each wait for a browser of their own.
test.describe.configure({ timeout: 180_000 });

/** Has an account share its say with others, each with a weight of one. */
const share = (network: LocalNetwork, account: Keypair, others: string[], needed: number) =>
  submit(
    network,
    [
      ...others.map((ed25519PublicKey) => Operation.setOptions({ signer: { ed25519PublicKey, weight: 1 } })),
      Operation.setOptions({ lowThreshold: needed, medThreshold: needed, highThreshold: needed }),
    ],
    [account],
  );

/** Signs what the link shows, and answers the link with the signature in it. */
async function adds(person: Person, ...expected: string[]): Promise<string> {
  const { page } = person;
  const before = page.url();
  await person.press("Check and sign");
  const shown = await person.review();
  for (const text of expected) assert.ok(shown.includes(text), `${text} in ${shown}`);
  await person.dialog.getByRole("button", { name: "Sign", exact: true }).click();
  await page.waitForURL((url) => url.href !== before);
  await person.dialog.waitFor({ state: "hidden" });
  await page.getByText("has signed").first().waitFor();
  return page.url();
}

/** Sends what has its signatures, and closes the dialog at the end that is expected. */
async function sendsOff(person: Person, end: string): Promise<void> {
  await person.press("Send it off");
  await person.dialog.locator("[data-hash]").waitFor();
  assert.ok((await person.dialog.innerText()).includes(end));
  await person.closeDialog();
}

test("two signers: the admin rules, and another key of the account’s sends it off", async ({ person, actor, admin, network, contract }) => {
  const [alice, bob] = [await actor(), await actor()];
  const agreement_id = await alice.offer(bob, { kwh: 9n });
  const transaction_id = await alice.act((client) =>
    client.deliver_energy({ agreement_id, energy_delivered_kwh: 9n, meter_reading: 9n, provider: alice.address }),
  );
  await bob.act((client) => client.dispute_transaction({ transaction_id, disputer: bob.address }));
  const first = await person("Anna", { keypair: admin.keypair, funded: false });
  const second = await person("Ben");
  const stranger = await person("Carol");
  await share(network, admin.keypair, [second.address], 2);

  await first.open(`agreement/${agreement_id}`);
  await first.press("Rule");
  await first.fill("Energy to be paid (kWh)", "5");
  await first.press("Check and sign");
  await first.sees("Signatures with a weight of 0 are there; 2 is needed.");
  await first.sees("No money moves.");
  const unsigned = first.page.url();
  const link = await adds(first, `Rule that 5 kWh of delivery 1 of agreement ${agreement_id} are to be paid.`, "No money moves.", "At most 0.");
  await first.sees("Signatures with a weight of 1 are there; 2 is needed.");
  assert.equal(await first.button("Check and sign").count(), 0);
  assert.equal(await first.button("Send it off").count(), 0);

  await stranger.follow(link);
  await stranger.sees("This waits for the signature of somebody above.");
  assert.equal(await stranger.button("Check and sign").count(), 0);

  await second.follow(link);
  await second.sees(`Rule that 5 kWh of delivery 1 of agreement ${agreement_id} are to be paid.`);
  await pictures(second.page, "approval");
  second.freighter.refuses = true;
  await second.press("Check and sign");
  await second.review();
  await pictures(second.page, "approval-review");
  await second.dialog.getByRole("button", { name: "Sign", exact: true }).click();
  await second.dialog.getByText("You declined in your wallet.").waitFor();
  await second.closeDialog();
  second.freighter.refuses = false;
  const complete = await adds(second);
  await sendsOff(second, "The dispute is over.");
  await second.sees("It is on the ledger.");
  const { payment_amount } = (await contract.client().get_transaction({ transaction_id })).result.unwrap();
  assert.equal(payment_amount, 7_500_000n);

  await stranger.follow(complete);
  await stranger.sees("It is on the ledger.");
  // Signatures do not change which transaction it is.
  await stranger.follow(unsigned);
  await stranger.sees("It is on the ledger.");
});

test("three signers, two of whom are enough: somebody without a wallet sends it off", async ({ person, network, contract }) => {
  const account = await person("Anna");
  const [second, third] = [await person("Ben"), await person("Carol", { wallet: "browser", viewport: "phone" })];
  await share(network, account.actor.keypair, [second.address, third.address], 2);
  await account.open();
  await account.press("Register");
  await account.sees("Signatures with a weight of 0 are there; 2 is needed.");
  const unsigned = account.page.url();

  await second.follow(unsigned);
  const one = await adds(second);
  await third.follow(one);
  const two = await adds(third);
  await third.sees("Signatures with a weight of 2 are there; 2 is needed.");
  const stranger = await person("Dave", { wallet: "none" });
  await stranger.follow(two);
  await sendsOff(stranger, "You are registered.");
  await stranger.sees("You are registered. It is on the ledger.");
  assert.equal((await contract.client().get_prosumer({ prosumer: account.address })).result.isOk(), true);
});

test("while a remembered wallet is looked for, nothing is begun as nobody’s", async ({ person, network }) => {
  const [account, second] = [await person("Anna"), await person("Ben")];
  await share(network, account.actor.keypair, [second.address], 2);
  await account.open();
  await account.press("Register");
  await account.sees("Signatures with a weight of 0 are there; 2 is needed.");
  await second.follow(await adds(account));
  const complete = await adds(second);
  second.freighter.silentTo = "REQUEST_ALLOWED_STATUS";
  await second.page.goto("about:blank");
  await second.page.goto(complete);
  await second.sees("Signatures with a weight of 2 are there; 2 is needed.");
  await second.sees("Connecting …");
  assert.equal(await second.button("Send it off").count(), 0);
  assert.equal(await second.page.getByText("Connect your wallet first.").count(), 0);
  second.freighter.speak();
  await sendsOff(second, "You are registered.");
});

test("the time for the signatures ends, and a link that was changed is no link", async ({ person, network, clock }) => {
  const [account, second] = [await person("Anna"), await person("Ben")];
  await share(network, account.actor.keypair, [second.address], 2);
  await account.open();
  await account.press("Register");
  await account.sees("Signatures with a weight of 0 are there; 2 is needed.");
  const link = await adds(account);
  await second.follow(link.slice(0, -40));
  await second.sees("This link is incomplete, was changed, or is not for this community.");
  assert.equal(await second.button("Try again").count(), 0);
  await clock.advance(86_400 + 60);
  await second.follow(link);
  await second.sees("The time for it is over.");
  assert.equal(await second.button("Check and sign").count(), 0);
});

test("what else the account sends takes the place of what waits", async ({ person, network }) => {
  const [account, second] = [await person("Anna"), await person("Ben")];
  await share(network, account.actor.keypair, [second.address], 2);
  await account.open();
  await account.press("Register");
  const link = await adds(account);
  await submit(network, [Operation.setOptions({})], [account.actor.keypair, second.actor.keypair]);
  await second.follow(link);
  await second.sees("It cannot be sent any more");
});

test("what somebody without a wallet sends off is followed to its end, over a reload, and can be let go of", async ({ person, network, rpc }) => {
  const account = await person("Anna");
  const second = await person("Ben");
  await share(network, account.actor.keypair, [second.address], 2);
  await account.open();
  await account.press("Register");
  await account.sees("Signatures with a weight of 0 are there; 2 is needed.");
  await adds(account);
  await second.follow(account.page.url());
  const complete = await adds(second);

  const stranger = await person("Dave", { wallet: "none" });
  const banner = stranger.page.getByRole("region", { name: "What you signed" });
  await stranger.follow(complete);
  rpc.on("sendTransaction", dropBefore);
  await stranger.press("Send it off");
  await stranger.dialog.getByText(/It was sent, and may still go through until .+\d{4}/).waitFor();
  await pictures(stranger.page, "approval-unknown");
  await stranger.dialog.getByRole("button", { name: "Stop following it" }).click();
  await stranger.dialog.waitFor({ state: "hidden" });
  await stranger.press("Send it off");
  await stranger.dialog.getByText("may still go through until").waitFor();
  rpc.off();
  rpc.reset();
  await stranger.follow(complete);
  await banner.getByText("may still go through until").waitFor();
  assert.equal(rpc.count("sendTransaction"), 0);
  await banner.getByRole("button", { name: "Send it again" }).click();
  await banner.locator("[data-hash]").waitFor();
  await stranger.sees("You are registered. It is on the ledger.");
  await accessible(stranger.page);
  stranger.complained(/ERR_EMPTY_RESPONSE|ERR_CONNECTION/);
});

test("whoever sends off what another account pays keeps no fee of it", async ({ person, network }) => {
  const [account, second, seller] = [await person("Anna", { registered: true }), await person("Ben"), await person("Alice", { registered: true })];
  const agreement_id = await seller.actor.offer(account);
  await seller.actor.act((client) =>
    client.deliver_energy({ agreement_id, energy_delivered_kwh: 3n, meter_reading: 3n, provider: seller.address }),
  );
  await share(network, account.actor.keypair, [second.address], 2);
  await account.open(`agreement/${agreement_id}`);
  await account.press("Pay the bill");
  await account.sees("Signatures with a weight of 0 are there; 2 is needed.");
  await second.follow(await adds(account));
  await seller.follow(await adds(second));
  await sendsOff(seller, "The bill is paid.");
  assert.equal(await seller.page.evaluate(() => localStorage.getItem("receipts")), null);
});

test("two signers extend the contract’s time", async ({ person, admin, network, contract }) => {
  const [first, second] = [await person("Anna", { keypair: admin.keypair, funded: false }), await person("Ben")];
  await share(network, admin.keypair, [second.address], 2);
  const ends = async () => {
    const { entries } = await network.server.getLedgerEntries(new Contract(contract.contractId).getFootprint());
    return entries[0]?.liveUntilLedgerSeq ?? 0;
  };
  const before = await ends();
  await first.open();
  await first.press("Extend the contract’s time");
  await first.sees("Signatures with a weight of 0 are there; 2 is needed.");
  const link = await adds(first, "for the contract and its code to stay on the network for");
  await second.follow(link);
  await adds(second, "for the contract and its code to stay on the network for");
  await sendsOff(second, "The contract’s time on the network is longer now.");
  assert.ok((await ends()) > before);
});

test("an account that needs less for it extends the contract’s time alone", async ({ person, actor, admin, network }) => {
  const [first, other] = [await person("Anna", { keypair: admin.keypair, funded: false }), await actor()];
  await submit(
    network,
    [
      Operation.setOptions({ signer: { ed25519PublicKey: other.address, weight: 1 } }),
      Operation.setOptions({ lowThreshold: 1, medThreshold: 2, highThreshold: 2 }),
    ],
    [admin.keypair],
  );
  await first.open();
  await first.press("Extend the contract’s time");
  await first.signs("The contract’s time on the network is longer now.");
});

test("signatures of strangers, and one too many, spoil no link", async ({ person, actor, network }) => {
  const [account, second] = [await person("Anna"), await person("Ben")];
  const third = await actor();
  await share(network, account.actor.keypair, [second.address, third.address], 2);
  await account.open();
  await account.press("Register");
  await account.sees("Signatures with a weight of 0 are there; 2 is needed.");
  await adds(account);
  await second.follow(account.page.url());
  const complete = await adds(second);
  const [before = "", text = ""] = complete.split("#/approve/");
  const transaction = TransactionBuilder.fromXdr(Buffer.from(text, "base64url").toString("base64"), network.passphrase);
  transaction.sign(Keypair.random(), third.keypair);
  await second.follow(`${before}#/approve/${Buffer.from(transaction.toXdr(), "base64").toString("base64url")}`);
  await sendsOff(second, "You are registered.");
});

/** What a link of an attacker has in it, in place of what this page has made. */
interface Attack {
  what: string;
  alter: (made: Made) => Transaction | FeeBumpTransaction;
  told: string | RegExp;
}

/** What an attacker can begin from. */
interface Made {
  /** The transaction that the page has made of the account’s call. */
  transaction: Transaction;
  builder: (of: { fee?: string; source?: Account | MuxedAccount; maxTime?: number; operations?: xdr.Operation[]; data?: xdr.SorobanTransactionData }) => TransactionBuilder;
  thief: string;
  tokenId: string;
  contractId: string;
}

const operationOf = ({ transaction }: Made) => {
  const [operation] = transaction.operations;
  assert.ok(operation?.type === "invokeHostFunction" && operation.func.type === "hostFunctionTypeInvokeContract");
  return { func: operation.func, invoked: operation.func.value, auth: operation.auth ?? [] };
};
const sign = (made: Made, operations: xdr.Operation[]) => made.builder({ operations }).build();

const attacks: Attack[] = [
  { what: "a fee of 400 XLM", alter: (made) => made.builder({ fee: "4000000000" }).build(), told: /The fee of this would be up to 400\.\d+ XLM\. That is more than 5\.00 XLM/ },
  {
    what: "a payment besides",
    alter: (made) => {
      const { func, auth } = operationOf(made);
      const pays = Operation.payment({ destination: made.thief, asset: Asset.native(), amount: "500" });
      return sign(made, [Operation.invokeHostFunction({ func, auth }), pays]);
    },
    told: "more signed than the one call",
  },
  { what: "a payment instead", alter: (made) => sign(made, [Operation.payment({ destination: made.thief, asset: Asset.native(), amount: "500" })]), told: "something that this page does not know" },
  {
    what: "an operation of another account",
    alter: (made) => sign(made, [Operation.invokeHostFunction({ ...operationOf(made), source: made.thief })]),
    told: "not for one account alone",
  },
  {
    what: "a muxed account",
    alter: (made) => {
      const { source, sequence } = made.transaction;
      return made.builder({ source: new MuxedAccount(new Account(source, String(BigInt(sequence) - 1n)), "7") }).build();
    },
    told: "not for one account alone",
  },
  {
    what: "a fee that somebody else is to pay",
    alter: ({ transaction, thief }) => TransactionBuilder.buildFeeBumpTransaction(thief, "5000000", transaction, transaction.networkPassphrase),
    told: "not for one account alone",
  },
  {
    what: "an authorisation of more",
    alter: (made) => {
      const { func, invoked, auth } = operationOf(made);
      const [entry] = auth;
      assert.ok(entry);
      const extra = new xdr.InvokeContractArgs({
        contractAddress: new Address(made.tokenId).toScAddress(),
        functionName: "transfer",
        args: [new Address(made.transaction.source).toScVal(), new Address(made.thief).toScVal(), nativeToScVal(5_000_000_000n, { type: "i128" })],
      });
      const call = (of: xdr.InvokeContractArgs, subInvocations: xdr.SorobanAuthorizedInvocation[]) =>
        new xdr.SorobanAuthorizedInvocation({ function: xdr.SorobanAuthorizedFunction.sorobanAuthorizedFunctionTypeContractFn(of), subInvocations });
      const more = new xdr.SorobanAuthorizationEntry({ credentials: entry.credentials, rootInvocation: call(invoked, [call(extra, [])]) });
      return sign(made, [Operation.invokeHostFunction({ func, auth: [more] })]);
    },
    told: "would cover more than the call that it shows",
  },
  {
    what: "the same authorisation twice",
    alter: (made) => {
      const { func, auth } = operationOf(made);
      return sign(made, [Operation.invokeHostFunction({ func, auth: [...auth, ...auth] })]);
    },
    told: "would cover more than the call that it shows",
  },
  { what: "a memo", alter: (made) => made.builder({}).addMemo(Memo.text("thanks")).build(), told: "conditions that this page sets nowhere" },
  { what: "ledger bounds", alter: (made) => made.builder({}).setLedgerbounds(0, 4_000_000_000).build(), told: "conditions that this page sets nowhere" },
  { what: "a number that it may begin from", alter: (made) => made.builder({}).setMinAccountSequence("1").build(), told: "conditions that this page sets nowhere" },
  {
    what: "a month of time",
    alter: (made) => made.builder({ maxTime: Number(made.transaction.timeBounds?.maxTime) + 30 * 86_400 }).build(),
    told: "could be held back for longer than a day",
  },
  { what: "no end of its time", alter: (made) => made.builder({ maxTime: 0 }).build(), told: "could be held back for longer than a day" },
  {
    what: "a later number of the account",
    alter: (made) => made.builder({ source: new Account(made.transaction.source, made.transaction.sequence) }).build(),
    told: "This link is for a later time",
  },
  {
    what: "a call of the token",
    alter: (made) => {
      const args = [new Address(made.transaction.source).toScVal(), new Address(made.thief).toScVal(), nativeToScVal(5_000_000_000n, { type: "i128" })];
      return sign(made, [new Contract(made.tokenId).call("transfer", ...args)]);
    },
    told: "something that this page does not know",
  },
  { what: "a function that this page never calls", alter: (made) => sign(made, [new Contract(made.contractId).call("initialize")]), told: "something that this page does not know" },
  {
    what: "an argument too many",
    alter: (made) => {
      const { invoked } = operationOf(made);
      return sign(made, [new Contract(made.contractId).call(String(invoked.functionName), ...invoked.args, nativeToScVal(1))]);
    },
    told: "something that this page does not know",
  },
  { what: "trust in an asset of the attacker’s", alter: (made) => sign(made, [Operation.changeTrust({ asset: new Asset("EUR", made.thief) })]), told: "something that this page does not know" },
  {
    what: "time for somebody else’s code",
    alter: (made) => {
      const key = xdr.LedgerKey.contractCode(new xdr.LedgerKeyContractCode({ hash: new Uint8Array(32).fill(7) }));
      const data = new SorobanDataBuilder().setReadOnly([key]).build();
      return made.builder({ operations: [Operation.extendFootprintTtl({ extendTo: 100_000 })], data }).build();
    },
    told: "something that this page does not know",
  },
  {
    what: "time for the token’s contract",
    alter: (made) => {
      const data = new SorobanDataBuilder().setReadOnly([new Contract(made.tokenId).getFootprint()]).build();
      return made.builder({ operations: [Operation.extendFootprintTtl({ extendTo: 100_000 })], data }).build();
    },
    told: "something that this page does not know",
  },
  {
    what: "time for ten times its price",
    alter: (made) => {
      const data = new SorobanDataBuilder().setReadOnly([new Contract(made.contractId).getFootprint()]).build();
      return made.builder({ operations: [Operation.extendFootprintTtl({ extendTo: 100_000 })], data, fee: "4000000000" }).build();
    },
    told: "a fee that is far above what it would cost now",
  },
];

/** Builds what is like a transaction that the page has made, but for what is given. */
function likeIt(transaction: Transaction): Made["builder"] {
  const envelope = transaction.toEnvelope();
  assert.ok(envelope.type === "envelopeTypeTx" && envelope.value.tx.ext.type === "sorobanData");
  const own = envelope.value.tx.ext.sorobanData;
  const before = String(BigInt(transaction.sequence) - 1n);
  return ({ fee = "100", source = new Account(transaction.source, before), maxTime = Number(transaction.timeBounds?.maxTime), operations, data }) => {
    const timebounds = { minTime: 0, maxTime };
    const builder = new TransactionBuilder(source, { fee, networkPassphrase: transaction.networkPassphrase, timebounds });
    for (const operation of operations ?? envelope.value.tx.operations) builder.addOperation(operation);
    const isClassic = operations?.some(({ body }) => body.type === "payment" || body.type === "changeTrust") && operations.length === 1;
    return isClassic ? builder : builder.setSorobanData(data ?? own);
  };
}

test("a link that has more in it than what it shows is refused, each with its reason", async ({ person, network, contract, actor }) => {
  const [account, second, thief] = [await person("Anna"), await person("Ben"), await actor({ registered: false })];
  await share(network, account.actor.keypair, [second.address], 2);
  await account.open();
  await account.press("Register");
  await account.sees("Signatures with a weight of 0 are there; 2 is needed.");
  const [place = "", text = ""] = account.page.url().split("/approve/");
  const transaction = TransactionBuilder.fromXdr(Buffer.from(decodeURIComponent(text), "base64url").toString("base64"), network.passphrase);
  assert.ok(!("innerTransaction" in transaction));
  const made: Made = {
    transaction,
    builder: likeIt(transaction),
    thief: thief.address,
    tokenId: contract.tokenId,
    contractId: contract.contractId,
  };
  const linkTo = (altered: Transaction | FeeBumpTransaction) => `${place}/approve/${Buffer.from(altered.toEnvelope().toXdr()).toString("base64url")}`;
  // What is altered in nothing can be signed.
  await second.follow(linkTo(made.builder({ fee: "100" }).build()));
  await second.button("Check and sign").waitFor();
  for (const { what, alter, told } of attacks) {
    await second.follow(linkTo(alter(made)));
    await second.sees(told);
    assert.equal(await second.button("Check and sign").count(), 0, what);
    assert.equal(await second.button("Send it off").count(), 0, what);
  }
  await accessible(second.page);
  await pictures(second.page, "approval-refused");
});
