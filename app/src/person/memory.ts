// What this browser remembers. Where a browser refuses to store anything, the page remembers until it is left, and everything else works.

/** In this browser, or in this tab alone, until it is closed. */
type Where = "browser" | "tab";

let usual: Where = "browser";
/** What could not be stored. */
const unstored = new Map<string, string>();

/** Whether everything is remembered for this tab alone. */
export function rememberPerTab(alone: boolean): void {
  usual = alone ? "tab" : "browser";
}

/** Even to name a storage throws where a browser blocks it. */
const storage = (where: Where) => (where === "tab" ? sessionStorage : localStorage);

/** Whether this browser stores anything for the page. */
export function canRemember(): boolean {
  try {
    storage(usual).setItem("probe", "");
    storage(usual).removeItem("probe");
    return true;
  } catch {
    return false;
  }
}

export function remember(key: string, value: unknown, where = usual): void {
  const name = `${where} ${key}`;
  unstored.delete(name);
  try {
    if (value === undefined) storage(where).removeItem(key);
    else storage(where).setItem(key, JSON.stringify(value));
  } catch {
    if (value !== undefined) unstored.set(name, JSON.stringify(value));
  }
}

/** What was remembered under the key. It may be of any kind, so whoever asks checks it: see shapes.ts. */
export function recall(key: string, where = usual): unknown {
  try {
    const text = unstored.get(`${where} ${key}`) ?? storage(where).getItem(key);
    return text === null ? undefined : ((JSON.parse(text) as unknown));
  } catch {
    return undefined;
  }
}
