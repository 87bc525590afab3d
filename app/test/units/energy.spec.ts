// Sun and loads are made up, but by rules.

import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { hourAt, loadWh, shareOut, sunWh } from "../../neighbourhood/energy.js";
import { households } from "../../neighbourhood/people.js";

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

test("nobody gives more than the surplus, or gets more than what is missing, and the first of an hour is another", () => {
  const pairs = households.flatMap(({ name: seller }) =>
    households.filter(({ name }) => name !== seller).map(({ name: buyer }) => ({ seller, buyer })),
  );
  const firsts = new Set<string>();
  for (const hour of hours) {
    const at = { day: SUMMER, hour };
    const left = new Map(households.map((of) => [of.name, sunWh(of.roofW, at) - loadWh(of, at)]));
    const shares = shareOut(pairs, at);
    for (const [{ seller, buyer }, wh] of shares) {
      assert.ok(wh > 0);
      left.set(seller, (left.get(seller) ?? 0) - wh);
      left.set(buyer, (left.get(buyer) ?? 0) + wh);
    }
    for (const household of households) {
      const { name, roofW } = household;
      const balance = sunWh(roofW, at) - loadWh(household, at);
      const after = left.get(name) ?? 0;
      assert.ok(balance > 0 ? after >= 0 && after <= balance : after <= 0 && after >= balance, `${name} at ${hour}`);
    }
    const [[first] = []] = shares;
    if (first) firsts.add(first.seller + first.buyer);
  }
  assert.ok(firsts.size > 1);
  assert.deepEqual(shareOut([], { day: SUMMER, hour: 12 }), []);
});

test("an hour is one of this machine’s place", () => {
  const date = new Date(2027, 5, 21, 14, 30);
  assert.deepEqual(hourAt(date.getTime() / 1000), { day: SUMMER, hour: 14 });
});
