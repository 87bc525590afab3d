// Sun and loads, made up but the same whenever they are asked for: whole watt-hours of an hour.

import type { Household } from "./people.js";

/** An hour of local time. */
export interface Hour {
  /** Days since 1970. */
  day: number;
  /** From 0 to 23. */
  hour: number;
}

/** The hour that begins then, in the time of this machine's place. */
export function hourAt(seconds: number): Hour {
  const local = seconds - new Date(seconds * 1000).getTimezoneOffset() * 60;
  return { day: Math.floor(local / 86_400), hour: Math.floor((local % 86_400) / 3600) };
}

/** Of a day's load, by the hour: at night little, most in the morning and in the evening. */
const LOAD_SHARES = [20, 18, 18, 18, 20, 28, 44, 56, 54, 50, 50, 54, 60, 56, 50, 48, 50, 58, 68, 70, 60, 48, 36, 26];
const ALL_SHARES = LOAD_SHARES.reduce((sum, share) => sum + share);

/** A number from 0 to 999 that looks random. */
function noise(...seeds: number[]): number {
  let state = 0x9e3779b9;
  for (const seed of seeds) {
    state = Math.imul(state ^ seed, 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return (state >>> 0) % 1000;
}

const perMille = (value: number, share: number) => Math.floor((value * share) / 1000);

/** 0 in the middle of winter, 1,000 in the middle of summer. */
function season(day: number): number {
  const afterWinter = (Math.floor(((day * 4) % 1461) / 4) + 10) % 365;
  return Math.floor((Math.min(afterWinter, 365 - afterWinter) * 1000) / 182);
}

/** What a roof makes in an hour: a parabola over the day, longer and higher in summer, under clouds that all roofs share. */
export function sunWh(roofW: number, { day, hour }: Hour): number {
  const summer = season(day);
  const halfDay = 270 + perMille(180, summer);
  const fromNoon = Math.abs(hour * 60 + 30 - 720);
  if (fromNoon >= halfDay) return 0;
  const height = 550 + perMille(400, summer);
  const shape = 1000 - Math.floor((fromNoon * fromNoon * 1000) / (halfDay * halfDay));
  const clouds = perMille(400 + perMille(600, noise(1, day)), 800 + perMille(200, noise(2, day, hour)));
  return perMille(perMille(perMille(roofW, height), shape), clouds);
}

/** What a home takes in an hour, a fifth more or less. */
export function loadWh({ dailyLoadWh, meterKwh }: Household, { day, hour }: Hour): number {
  const usual = Math.floor((dailyLoadWh * (LOAD_SHARES[hour] ?? 0)) / ALL_SHARES);
  return perMille(usual, 800 + perMille(400, noise(3, meterKwh, day, hour)));
}

/** What a household feeds in: what its roof makes and its home does not take. */
export const exportWh = (household: Household, hour: Hour): number => Math.max(0, sunWh(household.roofW, hour) - loadWh(household, hour));
