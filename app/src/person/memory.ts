// What this browser remembers. Where a browser refuses to store anything, the page forgets it, and everything else works.

let perTab = false;

/** Whether everything is remembered for this tab alone, until it is closed. */
export function rememberPerTab(alone: boolean): void {
  perTab = alone;
}

const usual = () => (perTab ? sessionStorage : localStorage);

export function remember(key: string, value: unknown, storage: Storage = usual()): void {
  try {
    if (value === undefined) storage.removeItem(key);
    else storage.setItem(key, JSON.stringify(value));
  } catch {
    return;
  }
}

/** What was remembered under the key: the caller knows its type, having remembered it. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- without it, every caller would need a cast of its own
export function recall<T>(key: string, storage: Storage = usual()): T | undefined {
  try {
    const text = storage.getItem(key);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}
