// Reminders as a file that every calendar opens (RFC 5545).

export interface Reminder {
  /** The same for the same thing, so that a calendar that opens the file again changes its entry instead of adding one. */
  uid: string;
  title: string;
  text: string;
  url: string;
  /** In Unix seconds. */
  at: bigint;
  /** So many minutes before, the calendar rings. */
  minutesBefore: number;
}

/** A time in UTC, as in 20261128T131000Z. */
const stamp = (seconds: bigint) => new Date(Number(seconds) * 1000).toISOString().replace(/[-:]|\.\d+/g, "");

const escape = (text: string) =>
  text
    .replaceAll("\\", "\\\\")
    .replaceAll(";", "\\;")
    .replaceAll(",", "\\,")
    .replaceAll(/\r\n|\r|\n/g, "\\n");

/** Lines have at most 75 bytes; a longer one goes on in the next, which begins with a space. No letter is cut in two. */
function fold(line: string): string {
  const encoder = new TextEncoder();
  let [folded, bytes] = ["", 0];
  for (const letter of line) {
    const size = encoder.encode(letter).length;
    if (bytes + size > 75) [folded, bytes] = [`${folded}\r\n `, 1];
    folded += letter;
    bytes += size;
  }
  return folded;
}

export function toCalendar(reminders: Reminder[], now: bigint): string {
  const lines = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//peer-to-peer energy sharing//page//EN",
    ...reminders.flatMap(({ uid, title, text, url, at, minutesBefore }) => [
      "BEGIN:VEVENT",
      `UID:${escape(uid)}`,
      `DTSTAMP:${stamp(now)}`,
      `DTSTART:${stamp(at)}`,
      `SUMMARY:${escape(title)}`,
      `DESCRIPTION:${escape(text)}`,
      `URL:${url}`,
      "BEGIN:VALARM",
      "ACTION:DISPLAY",
      `DESCRIPTION:${escape(title)}`,
      `TRIGGER:-PT${minutesBefore}M`,
      "END:VALARM",
      "END:VEVENT",
    ]),
    "END:VCALENDAR",
  ];
  return lines.map((line) => `${fold(line)}\r\n`).join("");
}
