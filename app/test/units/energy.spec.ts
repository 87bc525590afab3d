// Sun, loads and shares are made up, but by rules.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { hourAt, loadWh, sunWh } from "../../neighbourhood/energy.js";
import { consumersOf, households } from "../../neighbourhood/people.js";

const dayOf = (date: string) => Date.parse(date) / 86_400_000;
const WINTER = dayOf("2026-12-21");
const SUMMER = dayOf("2027-06-21");
const hours = Array.from({ length: 24 }, (_, hour) => hour);
const overDays = (first: number, days: number, wh: (day: number, hour: number) => number) =>
  Array.from({ length: days }, (_, n) => hours.reduce((sum, hour) => sum + wh(first + n, hour), 0)).reduce((sum, day) => sum + day);

test("the same hour has the same sun and load, in whole watt-hours", () => {
  const [alice, bob] = households;
  const noon = { day: SUMMER, hour: 12 };
  assert.deepEqual([sunWh(alice.roofW, noon), loadWh(alice, noon), loadWh(bob, noon)], [8154, 1635, 2350]);
});

test("there is no sun at night, more in summer than in winter, and never more than the plant can feed in", () => {
  for (const { roofW, maxPowerKw } of households) {
    assert.equal(sunWh(roofW, { day: SUMMER, hour: 3 }), 0);
    assert.equal(sunWh(roofW, { day: WINTER, hour: 17 }), 0);
    const of = (first: number) => overDays(first, 30, (day, hour) => sunWh(roofW, { day, hour }));
    assert.ok(of(SUMMER) > 2 * of(WINTER) && of(WINTER) > 0);
    for (let day = WINTER; day < WINTER + 365; day++)
      for (const hour of hours) assert.ok(sunWh(roofW, { day, hour }) <= maxPowerKw * 1000);
  }
});

test("a home takes about its usual day", () => {
  for (const household of households) {
    const taken = overDays(WINTER, 30, (day, hour) => loadWh(household, { day, hour })) / 30;
    assert.ok(Math.abs(taken - household.dailyLoadWh) < household.dailyLoadWh / 20, household.name);
  }
});

test("the shares of what a household exports are for all others, and no more than all of it", () => {
  for (const { name: seller } of households) {
    const consumers = consumersOf(seller);
    assert.equal(new Set(consumers.map(({ buyer }) => buyer)).size, households.length - 1);
    assert.ok(consumers.every(({ buyer, share }) => buyer !== seller && Number.isInteger(share) && share > 0));
    const all = consumers.reduce((sum, { share }) => sum + share, 0);
    assert.ok(all > 90 && all <= 100, `${seller} ${all}`);
  }
});

test("an hour is one of this machine’s place", () => {
  const date = new Date(2027, 5, 21, 14, 30);
  assert.deepEqual(hourAt(date.getTime() / 1000), { day: SUMMER, hour: 14 });
});
