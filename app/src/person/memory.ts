// What this browser remembers. Where a browser refuses to store anything, the page forgets it, and everything else works.

let perTab = false;

/** Whether everything is remembered for this tab alone, until it is closed. */
export function rememberPerTab(alone: boolean): void {
  perTab = alone;
}

const usual = () => (perTab ? sessionStorage : localStorage);

export function remember<T>(key: string, value: T | undefined, storage: Storage = usual()): void {
  try {
    if (value === undefined) storage.removeItem(key);
    else storage.setItem(key, JSON.stringify(value));
  } catch {
    return;
  }
}

export function recall<T>(key: string, storage: Storage = usual()): T | undefined {
  try {
    const text = storage.getItem(key);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}
