// What is typed into fields for numbers: taken to the last digit, asked, or refused with the reason.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { examplePrice, typedPrice } from "../../src/parts/numbers.js";
import { en } from "../../src/words/en.js";
import { Format } from "../../src/words/format.js";

const english = new Format("en-GB");
const german = new Format("de-DE");
const indian = new Format("en-IN");
/** A German who reads the page in English, in a browser that knows both. */
const both = new Format("en-GB", ["en-GB", "de-DE"]);
const all = [english, german, indian, both];
const XLM = { symbol: "XLM", decimals: 7 };

test("in a field for whole kWh a mark with three digits after it is a group, in every locale", () => {
  const taken = [
    ["120540", 120_540n],
    ["120.540", 120_540n],
    ["120,540", 120_540n],
    ["120 540", 120_540n],
    ["120\u202f540", 120_540n],
    ["120’540", 120_540n],
    ["1,000,000", 1_000_000n],
    ["1.000.000", 1_000_000n],
    ["12,34,567", 1_234_567n],
    ["1,000.00", 1_000n],
    ["1.000,0", 1_000n],
    ["5 kWh", 5n],
    ["5KWH", 5n],
    ["120.540 kWh", 120_540n],
    [" 007 ", 7n],
    ["5.0", 5n],
    ["34,359,738,367", 34_359_738_367n],
  ] as const;
  for (const [text, value] of taken) for (const format of all) assert.deepEqual(format.parseKwh(text), { value }, `${text} ${format.locale}`);
});

test("what is no whole number says why", () => {
  const refused = [
    ["", "empty"],
    [" \u200f ", "empty"],
    ["abc", "notANumber"],
    ["kWh", "notANumber"],
    ["12 5", "notANumber"],
    ["1,00,00", "notANumber"],
    ["1.2.3", "notANumber"],
    ["1,000 000", "notANumber"],
    ["5.", "notANumber"],
    ["(5)", "notANumber"],
    ["10²", "notANumber"],
    ["0x10", "notANumber"],
    ["-1", "sign"],
    ["−1", "sign"],
    ["+1", "sign"],
    ["1e3", "exponent"],
    ["1E-3", "exponent"],
    ["5 MWh", "unit"],
    ["5 Wh", "unit"],
    ["5 kW", "unit"],
    ["5.5", "fraction"],
    ["0.500", "fraction"],
    ["1,000.500", "fraction"],
    ["18446744073709551616", "tooLarge"],
  ] as const;
  for (const [text, problem] of refused) for (const format of all) assert.deepEqual(format.parseKwh(text), { problem }, text);
  assert.deepEqual(english.parseKw("5 kW"), { value: 5n });
  assert.deepEqual(english.parseKw("5 kWp"), { value: 5n });
  assert.deepEqual(english.parseKw("5 kWh"), { problem: "unit" });
});

test("a price is taken to the last digit, with either mark", () => {
  const taken = [
    ["0.15", 1_500_000n],
    ["0,15", 1_500_000n],
    [".5", 5_000_000n],
    ["0.150", 1_500_000n],
    ["0,345", 3_450_000n],
    ["12", 120_000_000n],
    ["1 000", 10_000_000_000n],
    ["1,000.50", 10_005_000_000n],
    ["1.000,50", 10_005_000_000n],
    ["1 000,500", 10_005_000_000n],
    ["1,000,000", 10_000_000_000_000n],
    ["0.0000001", 1n],
    ["0.10000000000", 1_000_000n],
    ["0.15 XLM", 1_500_000n],
    ["0.15xlm", 1_500_000n],
    ["XLM 0.15", 1_500_000n],
    ["0,15 XLM je kWh", 1_500_000n],
    ["0.15 XLM/kWh", 1_500_000n],
    ["1844674407370.9551615", 18_446_744_073_709_551_615n],
  ] as const;
  for (const [text, value] of taken) for (const format of all) assert.deepEqual(format.parsePrice(text, XLM), { value }, text);
  const refused = [
    ["0.00000001", "tooPrecise"],
    ["1844674407370.9551616", "tooLarge"],
    ["0.15 EUR", "unit"],
    ["1 200,50 €", "unit"],
    ["€ 0,15", "unit"],
    ["0,15 €/kWh", "unit"],
    ["$.15", "unit"],
    ["-0.15", "sign"],
    ["1e-2", "exponent"],
  ] as const;
  for (const [text, problem] of refused) assert.deepEqual(english.parsePrice(text, XLM), { problem }, text);
});

test("a price that can mean thousands or a fraction is asked", () => {
  const asked = { problem: "ambiguous", meanings: [10_000_000_000n, 10_000_000n] };
  for (const format of all) for (const text of ["1.000", "1,000"]) assert.deepEqual(format.parsePrice(text, XLM), asked, text);
  assert.deepEqual(english.parsePrice("1,234", XLM), { problem: "ambiguous", meanings: [12_340_000_000n, 12_340_000n] });
  // The page writes 1.234 in English, and this person reads nothing else.
  assert.deepEqual(english.parsePrice("1.234", XLM), { value: 12_340_000n });
  assert.ok("meanings" in both.parsePrice("1.234", XLM));
  assert.deepEqual(both.parsePrice("1.234 XLM", XLM), { value: 12_340_000n });
  assert.deepEqual(english.parsePrice("1.234", { symbol: "EUR", decimals: 2 }), { problem: "tooPrecise" });
  const { problem, meanings = [] } = typedPrice("1,234", en, both, XLM);
  assert.equal(problem, "Thousands or a fraction? Choose what you mean:");
  assert.deepEqual(meanings, [
    { text: "1234", label: "1,234.00 XLM" },
    { text: "1.2340", label: "1.234 XLM" },
  ]);
  for (const { text } of meanings) assert.ok(typedPrice(text, en, both, XLM).value, text);
});

test("whatever the page shows can be copied back, in each locale and with any decimals", () => {
  const amounts = [1n, 12n, 123n, 999n, 1_000n, 1_234n, 12_345n, 120_540n, 1_234_000n, 12_340_000n, 123_456_789n, 12_345_678_901_234n];
  for (const locale of ["en-GB", "en-US", "en-IN", "en-DE", "de-DE", "de-CH", "de-AT"])
    for (const other of ["en-GB", "de-DE"]) {
      const format = new Format(locale, [locale, other]);
      for (const decimals of [0, 1, 2, 3, 6, 7, 18])
        for (const symbol of ["XLM", "EURC", "T1", "1E5", "ابج"]) {
          const unit = { symbol, decimals };
          for (const value of amounts) {
            const shown = format.amount(value, unit);
            assert.deepEqual(format.parsePrice(shown, unit), { value }, `${locale} ${shown}`);
            assert.deepEqual(format.parsePrice(format.typed(value, decimals), unit), { value }, `${locale} ${decimals} ${value}`);
          }
        }
      for (const value of amounts) {
        assert.deepEqual(format.parseKwh(format.kwh(value)), { value });
        assert.deepEqual(format.parseKwh(format.number(value)), { value });
        assert.deepEqual(format.parseKw(format.kw(value)), { value });
      }
    }
});

test("the digits of every script are read", () => {
  for (const text of ["١٢٠٥٤٠", "۱۲۰۵۴۰", "१२०५४०", "１２０５４０", "١٢٠٬٥٤٠", "\u200f١٢٠٥٤٠\u200e"])
    assert.deepEqual(english.parseKwh(text), { value: 120_540n }, text);
  for (const text of ["١٫٥٠٠", "１．５", "１，５"]) assert.deepEqual(english.parsePrice(text, XLM), { value: 15_000_000n }, text);
});

test("the example of a price fits the token", () => {
  const example = (decimals: number) => examplePrice(german, { symbol: "PTS", decimals });
  assert.deepEqual([0, 1, 2, 7, 18, 20].map(example), ["15", "1,5", "0,15", "0,15", "0,15", "0,0150"]);
  for (let decimals = 0; decimals <= 38; decimals++) assert.ok(typedPrice(example(decimals), en, german, { symbol: "PTS", decimals }).value, `${decimals}`);
});
