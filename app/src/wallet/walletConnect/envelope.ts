// How two ends of WalletConnect hide their messages from the relay: a key that both know, and ChaCha20-Poly1305.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/** Both ends know the key: no sender is named. The other types are not used on the topics of a pairing or a session. */
const SHARED_KEY = 0;
const NONCE_BYTES = 12;

export const randomHex = (bytes: number) => bytesToHex(crypto.getRandomValues(new Uint8Array(bytes)));

/** The topic on which a key's messages travel. */
export const topicOf = (key: string) => bytesToHex(sha256(hexToBytes(key)));

export const publicKeyOf = (secretKey: string) => bytesToHex(x25519.getPublicKey(hexToBytes(secretKey)));

/** The key that two ends share, each with a secret key of its own and the public key of the other. */
export const agreeOnKey = (secretKey: string, publicKey: string) =>
  bytesToHex(hkdf(sha256, x25519.getSharedSecret(hexToBytes(secretKey), hexToBytes(publicKey)), undefined, undefined, 32));

export function seal(key: string, message: object): string {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = chacha20poly1305(hexToBytes(key), nonce).encrypt(utf8ToBytes(JSON.stringify(message)));
  return btoa(String.fromCharCode(SHARED_KEY, ...nonce, ...sealed));
}

/** The message of whoever knows the key. It throws if it comes from somebody else, or was changed on its way. */
export function open(key: string, text: string): unknown {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  if (bytes[0] !== SHARED_KEY) throw new Error("not sealed with the shared key");
  const nonce = bytes.slice(1, 1 + NONCE_BYTES);
  return JSON.parse(new TextDecoder().decode(chacha20poly1305(hexToBytes(key), nonce).decrypt(bytes.slice(1 + NONCE_BYTES))));
}
