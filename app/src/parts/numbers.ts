// What was typed into a field for a number: the value, or what is wrong with it in words.

import type { Words } from "../words/en.js";
import type { Parsed } from "../words/format.js";

export interface Typed {
  value?: bigint;
  problem?: string;
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
