// The languages, and which of them this person reads.

import { recall, remember } from "../person/memory.js";
import type { Words } from "./en.js";

/** Each language is loaded when somebody reads it. */
const loaders = {
  en: () => import("./en.js").then(({ en }): Words => en),
  de: () => import("./de.js").then(({ de }): Words => de),
};

export type Language = keyof typeof loaders;

/** The languages by their own names. */
export const languages: Record<Language, string> = { en: "English", de: "Deutsch" };

export const loadWords = (language: Language): Promise<Words> => loaders[language]();

const KEY = "language";

export function readLanguage(): Language {
  const chosen = recall<string>(KEY) ?? navigator.language.slice(0, 2);
  return chosen in languages ? (chosen as Language) : "en";
}

export const chooseLanguage = (language: Language) => remember(KEY, language);

/** The language as the person's own region writes it, if the browser tells the region. */
export const localeOf = (language: Language) => navigator.languages.find((locale) => locale.startsWith(language)) ?? language;
