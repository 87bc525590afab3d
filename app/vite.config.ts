import { defineConfig, type Plugin } from "vite";
import { loopback, networks } from "./src/chain/networks.ts";

const urls = networks.flatMap(({ rpcUrl, friendbotUrl = rpcUrl }) => [rpcUrl, friendbotUrl]);
const hosts = urls.map((url) => new URL(url).origin).filter((origin) => origin.startsWith("https:"));

/** The page runs its own files only, and talks to its networks only. Not while developing, when the server adds scripts of its own. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  `connect-src ${[...new Set([...hosts, ...loopback])].join(" ")}`,
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: policy }, injectTo: "head-prepend" },
  ],
};

export default defineConfig({
  base: "./",
  build: { target: "es2022", chunkSizeWarningLimit: 2000 },
  preview: { host: "127.0.0.1", port: 4173 },
  plugins: [contentSecurityPolicy],
});
