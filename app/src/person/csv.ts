// A person's deliveries as a table that a spreadsheet opens as columns, in the way of the person's own region.

import { TransactionStatus } from "../../client/src/index.js";
import { exactAmount, XLM, type Unit } from "../words/format.js";
import type { Row } from "./books.js";
import type { Payment } from "./receipts.js";

const COLUMNS = [
  "date",
  "time",
  "time_zone",
  "agreement",
  "transaction",
  "neighbour",
  "neighbour_address",
  "direction",
  "energy_kwh",
  "accepted_kwh",
  "price",
  "amount",
  "token",
  "status",
  "settled_at",
  "transaction_hash",
  "fee_xlm",
];

interface Options {
  token: Unit;
  /** The decimal sign of the person's region: where that is a comma, spreadsheets expect semicolons between columns. */
  decimalSign: string;
  names: Record<string, string>;
  /** The call that paid a delivery, if this browser sent it. */
  paymentOf: (row: Row) => Payment | undefined;
}

/**
 * One line for each delivery. Sums of columns agree with the statement: what is accepted, and the amount, are left empty while they are disputed. A fee that
 * paid several deliveries stands in the line of the first.
 */
export function toCsv(rows: Row[], { token, decimalSign, names, paymentOf }: Options): string {
  const separator = decimalSign === "," ? ";" : ",";
  const decimal = (value: bigint, decimals: number) => exactAmount(value, decimals).replace(".", decimalSign);
  const charged = new Set<string>();
  const feeOf = (payment: Payment | undefined) => {
    if (!payment || charged.has(payment.hash)) return "";
    charged.add(payment.hash);
    return decimal(payment.fee, XLM.decimals);
  };
  const lines = rows.map((row) => {
    const { role, neighbour, transaction: of, price, acceptedKwh } = row;
    const payment = paymentOf(row);
    const delivered = localTime(of.delivered_at);
    const disputed = of.status === TransactionStatus.Disputed;
    const settled = of.settled_at === null ? undefined : localTime(of.settled_at);
    return [
      delivered.date,
      delivered.time,
      delivered.zone,
      asText(String(of.agreement_id)),
      asText(String(of.transaction_id)),
      quoted(inert(names[neighbour] ?? ""), separator),
      neighbour,
      role,
      String(of.energy_delivered_kwh),
      disputed ? "" : String(acceptedKwh),
      decimal(price, token.decimals),
      disputed ? "" : decimal(of.payment_amount, token.decimals),
      quoted(inert(token.symbol), separator),
      TransactionStatus[of.status],
      settled ? `${settled.date} ${settled.time} ${settled.zone}` : "",
      payment?.hash ?? "",
      feeOf(payment),
    ];
  });
  // Spreadsheets take a file without this mark for one in an older encoding, and then break the letters of names.
  return `\uFEFF${[COLUMNS, ...lines].map((line) => `${line.join(separator)}\r\n`).join("")}`;
}

/** A number that a spreadsheet must not round: 20000000000001 would become 2E+13. */
const asText = (digits: string) => `"=""${digits}"""`;

/** Text from others, which a spreadsheet must not take for a formula: neither as a whole, nor what follows a mark that another region takes for the end of a column. */
const inert = (text: string) => text.replaceAll(/(?<=^|[;,\t]\s*)[=+\-@\t\r＝＋－＠]/g, "'$&");

const quoted = (text: string, separator: string) =>
  text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** A moment by the person's own clock, and how far that is from UTC then. */
function localTime(seconds: bigint): { date: string; time: string; zone: string } {
  const at = new Date(Number(seconds) * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const ahead = -at.getTimezoneOffset();
  const [hours, minutes] = [Math.floor(Math.abs(ahead) / 60), Math.abs(ahead) % 60];
  return {
    date: `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`,
    time: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`,
    zone: `UTC${ahead < 0 ? "-" : "+"}${two(hours)}:${two(minutes)}`,
  };
}
