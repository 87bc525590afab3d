// Numbers, money, energy and time as this person reads and writes them. Amounts are whole numbers of the smallest unit from end to end.

import { parse, separatorOf, type Parsed } from "./typed.js";

export interface Unit {
  symbol: string;
  decimals: number;
}

export const XLM: Unit = { symbol: "XLM", decimals: 7 };

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export class Format {
  private readonly whole: Intl.NumberFormat;
  private readonly relative: Intl.RelativeTimeFormat;
  /** What stands between a number's whole part and its fraction. */
  readonly separator: string;
  private readonly separators: string[];

  /** `languages` are all that this person's browser names. */
  constructor(
    readonly locale: string,
    languages: readonly string[] = [],
  ) {
    this.whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
    this.separator = separatorOf(locale);
    this.separators = [this.separator, ...languages.map(separatorOf)];
  }

  number(value: bigint): string {
    return this.whole.format(value);
  }

  kw(value: bigint): string {
    return `${this.number(value)} kW`;
  }

  kwh(value: bigint): string {
    return `${this.number(value)} kWh`;
  }

  /** An amount with all its digits, and at least two after the point. */
  amount(value: bigint, { symbol, decimals }: Unit): string {
    return `${this.plainAmount(value, decimals)} ${symbol}`;
  }

  /** The most that a fee may come to, in XLM: rounded up to what people read, four decimals below 1 and two above. */
  fee(stroops: bigint): string {
    const step = 10n ** BigInt(XLM.decimals - (stroops < 10n ** BigInt(XLM.decimals) ? 4 : 2));
    return this.amount(((stroops + step - 1n) / step) * step, XLM);
  }

  private plainAmount(value: bigint, decimals: number): string {
    const [whole, fraction] = split(value, decimals);
    const shown = fraction.replace(/0+$/, "").padEnd(Math.min(2, decimals), "0");
    return (value < 0n ? "-" : "") + this.number(BigInt(whole)) + (shown && this.separator + shown);
  }

  /** An amount as a person would type it, without groups, and so that it means nothing else. */
  typed(value: bigint, decimals: number): string {
    const [whole, fraction] = split(value, decimals);
    const digits = fraction.replace(/0+$/, "");
    const shown = digits.length === 3 ? `${digits}0` : digits;
    return whole + (shown && this.separator + shown);
  }

  /** A number without a unit. */
  parseWhole(text: string): Parsed {
    return parse(text, { units: [], decimals: 0 });
  }

  parseKwh(text: string): Parsed {
    return parse(text, { units: ["kWh"], decimals: 0 });
  }

  parseKw(text: string): Parsed {
    return parse(text, { units: ["kW", "kWp"], decimals: 0 });
  }

  /** A price for each kWh: how this page and people write that is left out. */
  parsePrice(text: string, { symbol, decimals }: Unit): Parsed {
    return parse(text.replace(/\s*(?:\/|per|je|pro)\s*kWh\s*$/i, ""), { units: [symbol], decimals, separators: this.separators });
  }

  date(seconds: bigint): string {
    return this.time(seconds, { dateStyle: "medium" });
  }

  /** With the year and the time zone, so that it means one moment to everybody who reads it. */
  dateTime(seconds: bigint): string {
    return this.time(seconds, {
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      timeZoneName: "short",
    });
  }

  /** Without the time zone, where that is said once for many. */
  dayTime(seconds: bigint): string {
    return this.time(seconds, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  }

  /** A moment and how far it is away, like "9 Dec 2026, 23:59 CET (in 9 days)". */
  when(seconds: bigint, now: bigint): string {
    return `${this.dateTime(seconds)} (${this.fromNow(seconds, now)})`;
  }

  /** The time of a day, like 13:05. */
  clock(seconds: bigint): string {
    return this.time(seconds, { timeStyle: "short" });
  }

  day(date: Date): string {
    return date.toLocaleDateString(this.locale, { day: "numeric", month: "short", year: "numeric" });
  }

  /** Without the year, for the axis of a picture. */
  dayOfYear(date: Date): string {
    return date.toLocaleDateString(this.locale, { day: "numeric", month: "short" });
  }

  month(date: Date): string {
    return date.toLocaleDateString(this.locale, { month: "short", year: "numeric" });
  }

  private time(seconds: bigint, options: Intl.DateTimeFormatOptions): string {
    return new Date(Number(seconds) * 1000).toLocaleString(this.locale, options);
  }

  /** A time as seen from now, like "in 3 days" or "2 hours ago". */
  fromNow(seconds: bigint, now: bigint): string {
    const left = Number(seconds - now);
    const size = Math.abs(left);
    if (size >= 2 * DAY) return this.relative.format(Math.trunc(left / DAY), "day");
    if (size >= HOUR) return this.relative.format(Math.trunc(left / HOUR), "hour");
    return this.relative.format(Math.trunc(left / MINUTE), "minute");
  }

  /** A duration in whole days. */
  days(seconds: number): string {
    const days = Math.floor(seconds / DAY);
    return days.toLocaleString(this.locale, { style: "unit", unit: "day", unitDisplay: "long" });
  }
}

/** The digits before and after the point, without a sign: the contract has no amount below zero, but a token that is a program may say any. */
function split(value: bigint, decimals: number): [string, string] {
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  return [digits.slice(0, digits.length - decimals), digits.slice(digits.length - decimals)];
}

/** An amount for other programs, with a point, all decimals and no groups. */
export function exactAmount(value: bigint, decimals: number): string {
  const [whole, fraction] = split(value, decimals);
  return (value < 0n ? "-" : "") + (fraction ? `${whole}.${fraction}` : whole);
}

/** What is invisible, or turns the direction of what follows. Some of it counts as letters, and U+2800 as a picture. */
const INVISIBLE = /[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** Somebody's text as one line of what can be seen: a mark that belongs to no letter is not. */
export const visible = (text: string) =>
  text
    .replaceAll(/\s/g, " ")
    .replaceAll(INVISIBLE, "")
    .normalize()
    .replaceAll(/(?<![\p{L}\p{N}\p{M}])\p{M}+/gu, "")
    .replaceAll(/ +/g, " ")
    .trim();

/** The scripts that are written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** Somebody's text, which keeps its own direction, and does not turn the sentence around it. */
export const isolated = (text: string) => (RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text);

export const shortAddress = (address: string) => `${address.slice(0, 5)}…${address.slice(-4)}`;

/** An address as people compare it. */
export const groupsOfFour = (address: string): string[] => address.match(/.{1,4}/g) ?? [];
