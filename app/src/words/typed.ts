// Numbers as people type and copy them: with a unit, with groups, in the digits of any script. Where a number can mean two things and money depends
// on it, the person is asked.

/** Why what was typed cannot be taken as a number. */
export type NumberProblem = "empty" | "notANumber" | "sign" | "exponent" | "unit" | "fraction" | "ambiguous" | "tooPrecise" | "tooLarge";

export type Parsed =
  | { value: bigint }
  | { problem: Exclude<NumberProblem, "ambiguous"> }
  /** It can mean thousands or a fraction. */
  | { problem: "ambiguous"; meanings: [bigint, bigint] };

interface Expected {
  /** How many decimals the number can have: the value is in the unit of the last. */
  decimals: number;
  /** What may stand beside the number. */
  units: string[];
  /** What separates a fraction in the way in which the page writes numbers; then in the person's other languages. */
  separators?: string[];
}

const MAX_U64 = 2n ** 64n - 1n;
/** Marks that only ever separate groups. */
const GROUPS = " '’_٬";

export function parse(text: string, { decimals, units, separators: [own = ".", ...others] = [] }: Expected): Parsed {
  const plain = inAscii(text);
  if (!plain) return { problem: "empty" };
  const [typed, hasUnit] = withoutUnit(plain, units);
  if (!/\d/.test(typed)) return { problem: "notANumber" };
  if (/^[+\-−–±]\s*[\d.,]/.test(typed)) return { problem: "sign" };
  if (/\de[+\-−]?\d+$/i.test(typed)) return { problem: "exponent" };
  if (/^0[xob]/i.test(typed)) return { problem: "notANumber" };
  if (/\d\s*[^\d\s.,٫]*[\p{L}\p{Sc}]|\p{Sc}\s*[\d.,]/u.test(typed)) return { problem: "unit" };

  const valueOf = (whole: string, fraction = ""): Parsed => {
    const digits = fraction.replace(/0+$/, "");
    if (digits.length > decimals) return { problem: decimals === 0 ? "fraction" : "tooPrecise" };
    const value = BigInt((whole || "0") + digits.padEnd(decimals, "0"));
    return value > MAX_U64 ? { problem: "tooLarge" } : { value };
  };
  const [, before = "", mark = "", after = ""] = /^(.*?)(?:([.,٫])([^.,٫]*))?$/su.exec(typed) ?? [];
  const isFraction = /^\d+$/.test(after);
  if (!mark) return /^\d+$/.test(typed) ? valueOf(typed) : grouped(typed) ? valueOf(digitsOf(typed)) : { problem: "notANumber" };
  if (!isFraction) return { problem: "notANumber" };
  if (before.includes(mark)) return grouped(typed) ? valueOf(digitsOf(typed)) : { problem: "notANumber" };
  if (/\D/.test(before)) return grouped(before) ? valueOf(digitsOf(before), after) : { problem: "notANumber" };
  const canGroup = mark !== "٫" && /^[1-9]\d{0,2}$/.test(before) && after.length === 3;
  if (!canGroup) return valueOf(before, after);
  const thousands = valueOf(before + after);
  if (decimals === 0) return thousands;
  const fraction = valueOf(before, after);
  if ("problem" in fraction || "problem" in thousands) return fraction;
  // The page writes this fraction in just this way.
  const asShown = mark === own && !after.endsWith("0");
  if (asShown && (hasUnit || others.every((other) => other === own))) return fraction;
  return { problem: "ambiguous", meanings: [thousands.value, fraction.value] };
}

/** What a locale writes between a whole number and its fraction. */
export const separatorOf = (locale: string): string =>
  new Intl.NumberFormat(locale).formatToParts(1.5).find(({ type }) => type === "decimal")?.value ?? ".";

const digitsOf = (text: string) => text.replaceAll(/\D/g, "");

/** Whether one mark separates groups, of which the last has three digits: in India those before it have two. */
function grouped(text: string): boolean {
  const [mark = ""] = /\D/.exec(text) ?? [];
  const groups = text.split(mark);
  return (
    (GROUPS.includes(mark) || mark === "." || mark === ",") &&
    groups.every((group, place) => (place === 0 ? /^\d{1,3}$/ : place === groups.length - 1 ? /^\d{3}$/ : /^\d{2,3}$/).test(group))
  );
}

/** The text without invisible marks of direction, its spaces and its points as one kind, and its decimal digits, of whichever script, as 0 to 9. */
const inAscii = (text: string) =>
  text
    .replaceAll(/\p{Cf}/gu, "")
    .replaceAll(/\s+/g, " ")
    .replaceAll("，", ",")
    .replaceAll("．", ".")
    .replaceAll(/\p{Nd}/gu, digit)
    .trim();

/** In Unicode the ten digits of a script follow each other, and begin with its zero. */
function digit(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  let below = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(code - below - 1))) below++;
  return String(below % 10);
}

/** What is left without the unit, and whether there was one. Whoever names a token may put digits into its symbol: these need a space before them. */
function withoutUnit(text: string, units: string[]): [text: string, hasUnit: boolean] {
  const lower = text.toLowerCase();
  for (const unit of units.map((unit) => inAscii(unit).toLowerCase()).sort((a, b) => b.length - a.length)) {
    if (!/[\p{L}\p{Sc}]/u.test(unit)) continue;
    const apart = /\d/.test(unit) ? " " : "";
    if (lower.endsWith(apart + unit)) return [text.slice(0, -unit.length).trim(), true];
    if (lower.startsWith(unit + apart)) return [text.slice(unit.length).trim(), true];
  }
  return [text, false];
}
