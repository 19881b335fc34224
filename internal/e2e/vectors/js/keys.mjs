// Ed25519, X25519, scrypt and HKDF are those of Node.js.

import crypto from "node:crypto";

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

const privateKey = (seed) => crypto.createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });

export const publicKey = (seed) => crypto.createPublicKey(privateKey(seed)).export({ format: "der", type: "spki" }).subarray(SPKI.length);

export const sign = (seed, message) => crypto.sign(null, message, privateKey(seed));

export const verify = (key, message, signature) =>
  crypto.verify(null, message, crypto.createPublicKey({ key: Buffer.concat([SPKI, key]), format: "der", type: "spki" }), signature);

export const scrypt = (input, salt) => crypto.scryptSync(input, salt, 32, { N: 16384, r: 8, p: 1, maxmem: 1 << 26 });

export const hkdf = (secret, info) => Buffer.from(crypto.hkdfSync("sha256", secret, Buffer.alloc(0), info, 32));

const PKCS8_X = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI_X = Buffer.from("302a300506032b656e032100", "hex");

const privateX = (raw) => crypto.createPrivateKey({ key: Buffer.concat([PKCS8_X, raw]), format: "der", type: "pkcs8" });

export const x25519Public = (raw) => crypto.createPublicKey(privateX(raw)).export({ format: "der", type: "spki" }).subarray(SPKI_X.length);

export const x25519 = (raw, other) =>
  crypto.diffieHellman({ privateKey: privateX(raw), publicKey: crypto.createPublicKey({ key: Buffer.concat([SPKI_X, other]), format: "der", type: "spki" }) });
