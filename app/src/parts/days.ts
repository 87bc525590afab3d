// Days by the person's own calendar, in the form that date fields take, like 2026-03-31.

/** The last second of a day, in Unix seconds. */
export const endOfDay = (day: string) => BigInt(Math.floor(new Date(`${day}T23:59:59`).getTime() / 1000));

export const dayOf = (seconds: bigint) => {
  const date = new Date(Number(seconds) * 1000);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
};
