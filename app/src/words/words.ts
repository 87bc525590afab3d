// The languages, and which of them this person reads.

import { recall, remember } from "../person/memory.js";
import { de } from "./de.js";
import { en, type Words } from "./en.js";

export const languages = { en, de } satisfies Record<string, Words>;

export type Language = keyof typeof languages;

const KEY = "language";

export function readLanguage(): Language {
  const chosen = recall<string>(KEY) ?? navigator.language.slice(0, 2);
  return chosen in languages ? (chosen as Language) : "en";
}

export const chooseLanguage = (language: Language) => remember(KEY, language);

/** The language as the person's own region writes it, if the browser tells the region. */
export const localeOf = (language: Language) => navigator.languages.find((locale) => locale.startsWith(language)) ?? language;
