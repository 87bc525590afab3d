// The file of reminders, as RFC 5545 has it.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { toCalendar } from "../../src/person/calendar.js";

const reminder = {
  uid: "look 10000001000004 C1",
  title: "Look at delivery 2, from Alice; 9 kWh",
  text: "first\nsecond \\ line",
  url: "https://example.org/?contract=C1#/agreement/1000004",
  at: BigInt(Date.UTC(2026, 10, 29, 13, 10, 5) / 1000),
  minutesBefore: 120,
};
const NOW = BigInt(Date.UTC(2026, 10, 28, 13, 0, 0) / 1000);

test("an event is in UTC, rings, and has its text escaped", () => {
  assert.equal(
    toCalendar([reminder], NOW),
    [
      "BEGIN:VCALENDAR",
      "VERSION:2.0",
      "PRODID:-//peer-to-peer energy sharing//page//EN",
      "BEGIN:VEVENT",
      "UID:look 10000001000004 C1",
      "DTSTAMP:20261128T130000Z",
      "DTSTART:20261129T131005Z",
      "SUMMARY:Look at delivery 2\\, from Alice\\; 9 kWh",
      "DESCRIPTION:first\\nsecond \\\\ line",
      "URL:https://example.org/?contract=C1#/agreement/1000004",
      "BEGIN:VALARM",
      "ACTION:DISPLAY",
      "DESCRIPTION:Look at delivery 2\\, from Alice\\; 9 kWh",
      "TRIGGER:-PT120M",
      "END:VALARM",
      "END:VEVENT",
      "END:VCALENDAR",
      "",
    ].join("\r\n"),
  );
});

test("no line is longer than 75 bytes, no letter is cut, and unfolded it says the same", () => {
  const title = "Überweisung für Ökostrom von Jürgen 🌞 ".repeat(5).trim();
  const text = toCalendar([{ ...reminder, title }], NOW);
  const lines = text.split("\r\n");
  assert.ok(lines.every((line) => Buffer.byteLength(line) <= 75));
  assert.ok(lines.some((line) => Buffer.byteLength(line) >= 72));
  assert.ok(!text.includes("\uFFFD"));
  assert.ok(text.replaceAll("\r\n ", "").includes(`SUMMARY:${title}\r\n`));
});

test("two things are two events", () => {
  assert.equal(toCalendar([reminder, { ...reminder, uid: "pay" }], NOW).match(/BEGIN:VEVENT/g)?.length, 2);
});
