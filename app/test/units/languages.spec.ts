// Which language a page begins in, and how it writes numbers and dates, whatever the browser says of its person.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { Format } from "../../src/words/format.js";
import { languageTags, localeOf, readLanguage } from "../../src/words/words.js";

/** As a browser that names these. */
function named(languages: unknown, language: unknown = Array.isArray(languages) ? languages[0] : undefined): void {
  Object.defineProperty(globalThis, "navigator", { value: { language, languages }, configurable: true });
}

test("the page is in the first language that it has of those that the browser names", () => {
  const begins = (...languages: string[]) => {
    named(languages);
    return readLanguage();
  };
  assert.equal(begins("de-AT"), "de");
  assert.equal(begins("en-GB", "de"), "en");
  assert.equal(begins("tr-TR", "de-DE", "en"), "de");
  assert.equal(begins("tr-TR"), "en");
});

test("odd language tags are read as far as they are any, and nothing breaks", () => {
  for (const odd of ["en-US@posix", "en_US", "en_US.UTF-8"]) {
    named([odd]);
    assert.deepEqual([readLanguage(), languageTags(), localeOf("en")], ["en", ["en-US"], "en-US"], odd);
  }
  for (const none of ["", "C", "-", "x", "toString", "*"]) {
    named([none]);
    assert.equal(readLanguage(), "en", none);
    assert.equal(localeOf("de"), "de", none);
    assert.ok(new Format(localeOf("en"), languageTags()).dateTime(0n), none);
  }
  named(undefined);
  assert.deepEqual([readLanguage(), localeOf("en")], ["en", "en"]);
});

test("dates and numbers are written as the browser's region writes them, in either language", () => {
  const written = (language: "en" | "de", ...languages: string[]) => {
    named(languages);
    const format = new Format(localeOf(language), languageTags());
    return [format.locale, format.date(1_800_000_000n), format.kwh(120_540n)];
  };
  assert.deepEqual(written("en", "de-DE", "de", "en-US"), ["en-DE", "15 Jan 2027", "120.540 kWh"]);
  assert.deepEqual(written("en", "en-US"), ["en-US", "Jan 15, 2027", "120,540 kWh"]);
  assert.deepEqual(written("de", "de-CH"), ["de-CH", "15.01.2027", "120'540 kWh"]);
  assert.deepEqual(written("en", "en"), ["en", "Jan 15, 2027", "120,540 kWh"]);
});
