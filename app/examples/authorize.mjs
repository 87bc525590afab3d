// Signs the authorization entries of a simulated transaction with SECRET, as a wallet does: authorize.mjs LAST_LEDGER PASSPHRASE <IN >OUT
import { text } from "node:stream/consumers";
import { authorizeEntry, Keypair, Operation, TransactionBuilder } from "@stellar/stellar-sdk";

const [lastLedger, passphrase] = process.argv.slice(2);
const wallet = Keypair.fromSecret(process.env.SECRET);
const transaction = TransactionBuilder.fromXdr((await text(process.stdin)).trim(), passphrase);
const [{ func, auth: entries }] = transaction.operations;
const auth = await Promise.all(entries.map((entry) => authorizeEntry(entry, wallet, Number(lastLedger), passphrase)));
const signed = TransactionBuilder.cloneFrom(transaction).clearOperations().addOperation(Operation.invokeHostFunction({ func, auth }));
console.log(signed.setTimeout(0).build().toXdr());
