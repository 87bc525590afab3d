// The languages, and which of them this person reads.

import { recall, remember } from "../person/memory.js";
import { isText, type Is } from "../person/shapes.js";
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
  return [recall(KEY), ...languageTags().map((tag) => new Intl.Locale(tag).language)].find(isKnown) ?? "en";
}

const isKnown: Is<Language> = (name): name is Language => isText(name) && Object.hasOwn(languages, name);

export const chooseLanguage = (language: Language) => remember(KEY, language);

/** The languages that the browser names, the dearest first, as far as they are any: systems and extensions set odd ones, like "en-US@posix" and "en_US". */
export function languageTags(): string[] {
  const browser: Partial<NavigatorLanguage> = navigator;
  return [...new Set([browser.language, ...(browser.languages ?? [])].flatMap((tag) => canonical(tag) ?? []))];
}

function canonical(tag = ""): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag.replace(/[@.].*$/, "").replaceAll("_", "-"))[0];
  } catch {
    return undefined;
  }
}

/** The language as the person's own region writes its numbers and dates, if the browser tells a region. */
export function localeOf(language: Language): string {
  const region = languageTags().map((tag) => new Intl.Locale(tag).region).find((region) => region !== undefined);
  return new Intl.Locale(language, { region }).toString();
}
