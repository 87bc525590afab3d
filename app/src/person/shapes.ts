// Of which kind a value is that was read from the browser. Other pages of the same server store under the same keys, so it may be anything.

export type Is<T> = (value: unknown) => value is T;

export const isText: Is<string> = (value): value is string => typeof value === "string";

/** A whole number that is written out, as JSON has none of the size of amounts and ids. */
export const isDigits: Is<string> = (value): value is string => isText(value) && /^\d+$/.test(value);

export const isYes: Is<boolean> = (value): value is boolean => typeof value === "boolean";

export const isWhole: Is<number> = (value): value is number => Number.isSafeInteger(value);

/** What may be missing. */
export const maybe =
  <T>(is: Is<T>): Is<T | undefined> =>
  (value): value is T | undefined =>
    value === undefined || is(value);

/** Whether each of these fields is of its kind. */
export const isShape =
  <T extends object>(fields: { [Field in keyof T]-?: (value: unknown) => boolean }): Is<T> =>
  (value): value is T =>
    typeof value === "object" &&
    value !== null &&
    Object.entries<(value: unknown) => boolean>(fields).every(([field, is]) => is((value as Record<string, unknown>)[field]));

/** Those of a list that are of this kind. */
export const those = <T>(list: unknown, is: Is<T>): T[] => (Array.isArray(list) ? list.filter(is) : []);
