import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { defineConfig, loadEnv, type Plugin } from "vite";
import { xdr } from "@stellar/stellar-sdk";
import releases from "./releases.json" with { type: "json" };
import { configured, connectSources } from "./src/chain/networks.ts";
import { RELAY } from "./src/wallet/walletConnect/address.ts";

/** The page runs its own files only, and talks to its networks only. Not while developing, when the server adds scripts of its own. */
const policy = (sources: string[]) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${sources.join(" ")}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");

const contentSecurityPolicy = (sources: string[]): Plugin => ({
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: policy(sources) }, injectTo: "head-prepend" },
  ],
});

/** The generated client has the contract's specification with all its texts, which the page does not show: without them it is a third as large. */
const specificationWithoutTexts: Plugin = {
  name: "specification-without-texts",
  transform(code, id) {
    if (!id.endsWith("/client/src/client.ts")) return undefined;
    return code.replace(/"(AAAA[A-Za-z0-9+/=]+)"/g, (_, entry: string) => JSON.stringify(withoutTexts(entry)));
  },
};

function withoutTexts(text: string): string {
  const strip = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("doc" in value) value.doc = "";
    for (const part of Object.values(value)) strip(part);
  };
  const entry = xdr.ScSpecEntry.fromXdr(text, "base64");
  strip(entry);
  return entry.toXdr("base64");
}

/** So many KB, as gzip makes them, a phone loads before it shows anything: the first chunk, what it imports, one language, and the styles. */
const MOST_AT_START = 111;

const sizeAtStart: Plugin = {
  name: "size-at-start",
  apply: "build",
  generateBundle(_, bundle) {
    const files = new Set<string>();
    const add = (name: string) => {
      const file = bundle[name];
      if (!file || files.has(name)) return;
      files.add(name);
      if (file.type !== "chunk") return;
      file.imports.forEach(add);
      file.viteMetadata?.importedCss.forEach(add);
    };
    const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
    for (const { fileName, isEntry, facadeModuleId } of chunks) if (isEntry || facadeModuleId?.endsWith("/words/de.ts")) add(fileName);
    const sizes = [...files].map((name) => {
      const file = bundle[name];
      return gzipSync(file?.type === "chunk" ? file.code : (file?.source ?? "")).length;
    });
    const size = sizes.reduce((sum, one) => sum + one, 0) / 1000;
    const text = `at start the page is ${size.toFixed(1)} KB gzip, of at most ${MOST_AT_START}`;
    if (size > MOST_AT_START) this.error(text);
    else this.info(text);
  },
};

/** The contracts that the page vouches for: the one that is built beside it, and those of releases. A preview of what is built needs none. */
function acceptedWasm(): string[] {
  const { CARGO_TARGET_DIR: target = fileURLToPath(new URL("../target", import.meta.url)), WASM } = process.env;
  const wasm = readFileSync(WASM ?? `${target}/wasm32v1-none/release/peer_to_peer_energy_sharing.wasm`);
  return [createHash("sha256").update(wasm).digest("hex"), ...Object.values<string>(releases)];
}

const knownCode: Plugin = {
  name: "known-code",
  config: (_, { isPreview }) => (isPreview ? {} : { define: { __ACCEPTED_WASM__: JSON.stringify(acceptedWasm()) } }),
};

export default defineConfig(({ mode }) => {
  const settings = loadEnv(mode, import.meta.dirname, "VITE_");
  // Wallets on phones are reached by this relay, if whoever publishes the page has an id there.
  const relays = settings.VITE_WALLETCONNECT_PROJECT_ID ? [RELAY] : [];
  return {
    base: "./",
    build: { target: "es2022", chunkSizeWarningLimit: 2000 },
    preview: { host: "127.0.0.1", port: 4173 },
    plugins: [specificationWithoutTexts, sizeAtStart, knownCode, contentSecurityPolicy([...connectSources(configured(settings)), ...relays])],
  };
});
