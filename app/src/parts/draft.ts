// What is typed into forms outlives a reload.

import { useState } from "preact/hooks";
import { recall, remember } from "../person/memory.js";

/** The texts of a form's fields, until it is cleared. `name` says which form it is. */
export function useDraft<T extends Record<string, string>>(name: string, empty: T) {
  const key = `draft ${name}`;
  const [fields, setFields] = useState<T>(() => ({ ...empty, ...recall<Partial<T>>(key, sessionStorage) }));
  const change = (next: T | undefined) => {
    remember(key, next, sessionStorage);
    setFields(next ?? empty);
  };
  return { fields, set: (field: keyof T) => (value: string) => change({ ...fields, [field]: value }), clear: () => change(undefined) };
}
