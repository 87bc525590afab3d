// What was typed into a field for a number: the value, or what is wrong with it in words.

import type { Words } from "../words/en.js";
import type { Format, Unit } from "../words/format.js";
import type { Parsed } from "../words/typed.js";

/** What may have been meant: the text that says it and nothing else, and how it is shown. */
export interface Meaning {
  text: string;
  label: string;
}

export interface Typed {
  value?: bigint;
  problem?: string;
  meanings?: Meaning[];
}

/** Takes a number from `least`, which is one if it is left out, to `most`. */
export function typedNumber(
  parsed: Parsed,
  { numbers }: Words,
  { least = 1n, most, shown }: { least?: bigint; most?: bigint; shown?: string } = {},
): Typed {
  if ("problem" in parsed) return { problem: numbers[parsed.problem] };
  if (parsed.value < least) return { problem: numbers.zero };
  if (most !== undefined && parsed.value > most) return { problem: numbers.tooMuch(shown ?? String(most)) };
  return { value: parsed.value };
}

/** Takes a price, and asks for its meaning where it has two. */
export function typedPrice(text: string, words: Words, format: Format, unit: Unit): Typed {
  const parsed = format.parsePrice(text, unit);
  const meanings =
    "meanings" in parsed
      ? parsed.meanings.map((value) => ({ text: format.typed(value, unit.decimals), label: format.amount(value, unit) }))
      : undefined;
  return { ...typedNumber(parsed, words), meanings };
}

/** So many digits every price can have: the contract takes numbers of 64 bits. */
const PRICE_DIGITS = 19;

/** A price that a token with these decimals can have: 0.15, or less if there are so many that 0.15 cannot be written. */
export const examplePrice = (format: Format, { decimals }: Unit): string =>
  format.typed(15n * 10n ** BigInt(Math.max(0, Math.min(decimals, PRICE_DIGITS) - 2)), decimals);
