import { defineConfig, loadEnv, type Plugin } from "vite";
import { configured, connectSources } from "./src/chain/networks.ts";

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

export default defineConfig(({ mode }) => ({
  base: "./",
  build: { target: "es2022", chunkSizeWarningLimit: 2000 },
  preview: { host: "127.0.0.1", port: 4173 },
  plugins: [contentSecurityPolicy(connectSources(configured(loadEnv(mode, import.meta.dirname, "VITE_"))))],
}));
