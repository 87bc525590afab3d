// What is typed into forms outlives a reload, and stays until it has led to something.

import { useEffect, useState } from "preact/hooks";
import { recall, remember } from "../person/memory.js";
import { isText } from "../person/shapes.js";

const key = (form: string) => `draft ${form}`;

/** Fills in a form before it is shown. */
export const prepareDraft = (form: string, fields: Record<string, string>) => remember(key(form), fields, "tab");

/** The texts that were typed into a form; of a field into which nothing was, that of `empty`. */
export function recallDraft<T extends Record<string, string>>(form: string, empty: T): T {
  const typed = Object.entries(recall(key(form), "tab") ?? {});
  return { ...empty, ...Object.fromEntries(typed.filter(([field, text]) => field in empty && isText(text))) };
}

/** Tells a form that is shown by its name that it is emptied. */
const emptied = new EventTarget();

/** Empties a form. */
export function clearDraft(form: string): void {
  remember(key(form), undefined, "tab");
  emptied.dispatchEvent(new Event(form));
}

/** The texts of a form's fields. `form` says which form it is; `tried` is whether the person has pressed its button, so that it says what is wrong. */
export function useDraft<T extends Record<string, string>>(form: string, empty: T) {
  const [fields, setFields] = useState<T>(() => recallDraft(form, empty));
  const [tried, setTried] = useState(false);
  useEffect(() => {
    const clear = () => {
      setFields(empty);
      setTried(false);
    };
    emptied.addEventListener(form, clear);
    return () => emptied.removeEventListener(form, clear);
  }, [form]);
  const set = (field: keyof T) => (value: string) => {
    const next = { ...fields, [field]: value };
    remember(key(form), next, "tab");
    setFields(next);
  };
  return { form, fields, set, tried, setTried };
}
