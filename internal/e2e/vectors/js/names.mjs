// Ids, names and keys that are derived: one function for each kind of vector,
// from its inputs to {canonical, hash, steps}.

import fs from "node:fs";
import { blake3, blake3Keyed } from "./blake3.mjs";
import { hkdf, publicKey, scrypt, sign } from "./keys.mjs";
import { bytes, Refused, string } from "./postcard.mjs";
import * as types from "./types.mjs";

export const raw = (hex) => Buffer.from(hex, "hex");
export const label = (text) => Buffer.from(text, "latin1");

// An epoch inside a hash.
export const le64 = (n) => {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt(n));
  return b;
};

// normalize gives nothing for a phrase that is refused.
function normalize(phrase) {
  const norm = phrase.trim().split(/\s+/).join("-").replace(/[A-Z]/g, (c) => c.toLowerCase());
  return /^[a-z0-9-]{1,128}$/.test(norm) ? norm : undefined;
}

// Nearly the same measurements are the same name: halves go up.
function rounded(m) {
  const out = { ...m };
  for (const name of ["success_rate", "refusal_consistency", "tool_fidelity", "robustness_score", "drift_indicator"]) {
    out[name] = Math.floor(m[name] * 64 + 0.5) / 64;
  }
  return out;
}

const ticketOutput = (i) =>
  scrypt(
    Buffer.concat([label("ticket"), raw(i.world_hex), le64(i.epoch_id), raw(i.prober_key_hex), raw(i.nonce_hex), raw(i.anchor_hex)]),
    raw(i.world_hex),
  );

const words = fs.readFileSync(new URL("../../../../mesh/world/english.txt", import.meta.url), "utf8").split("\n").filter(Boolean);

const bits = (buffer) => [...buffer].map((b) => b.toString(2).padStart(8, "0")).join("");

const checksum = (payload) => words[parseInt(bits(blake3(payload)).slice(0, 11), 2)];

export function phraseAddress(payload) {
  const padded = bits(payload) + "1";
  const list = padded.padEnd(Math.ceil(padded.length / 11) * 11, "0").match(/.{11}/g);
  return [...list.map((b) => words[parseInt(b, 2)]), checksum(payload)].join("-");
}

// readPhraseAddress gives the reason that it is refused, or nothing.
function readPhraseAddress(phrase) {
  const numbers = phrase.toLowerCase().split(/[- ]+/).map((word) => words.indexOf(word));
  if (numbers.includes(-1)) return "word";
  const all = numbers.slice(0, -1).map((n) => n.toString(2).padStart(11, "0")).join("");
  const end = all.lastIndexOf("1");
  if (all.length - end > 11 || end % 8 !== 0) return "checksum";
  const payload = Buffer.from((all.slice(0, end).match(/.{8}/g) ?? []).map((b) => parseInt(b, 2)));
  return checksum(payload) === words[numbers.at(-1)] ? "accepted" : "checksum";
}

const hashed = (type, value) => {
  const canonical = type.write(value);
  return { canonical, hash: blake3(canonical) };
};

const worldID = (name, i, ...more) =>
  blake3(label(name), label(normalize(i.phrase)), blake3(types.ruleBundle.write(i.rule_bundle)), ...more);

const worldSteps = (i) => ({
  phrase_normalized: normalize(i.phrase), rule_bundle_hash_hex: blake3(types.ruleBundle.write(i.rule_bundle)),
});

const fingerprint = (i) => blake3(label("fp"), raw(i.world_hex), raw(i.transport_key_hex));

export const names = {
  world_id_derivation: (i) => ({ canonical: types.ruleBundle.write(i.rule_bundle), hash: worldID("world", i), steps: worldSteps(i) }),
  rule_bundle_hash: (i) => hashed(types.ruleBundle, i),
  fah_derivation: (i) => {
    const canonical = types.manifest.write(i);
    return { canonical, hash: blake3(label("fah"), canonical) };
  },
  descriptor_id_derivation: (i) => {
    const canonical = types.unsigned.write(i);
    return { canonical, hash: blake3(label("descriptor"), canonical) };
  },
  target_ref_derivation: (i) => {
    const place = [raw(i.world_id_hex), le64(i.epoch_id)];
    const key = blake3Keyed(raw(i.master_key_hex), label("cpk"), ...place);
    return { hash: blake3Keyed(key, label("targetref"), ...place, raw(i.descriptor_id_hex)), steps: { control_plane_key_hex: key } };
  },
  terrain_address_canonical: (i) => hashed(types.terrain, i),
  phrase: (i) => {
    const norm = normalize(i.phrase);
    return { steps: norm === undefined ? { error: "refused" } : { phrase_normalized: norm } };
  },
  epoch: (i) => ({ steps: { epoch: String(Math.max(0, Math.floor(i.unix_ms / i.epoch_len_ms))) } }),
  charter: (i) => hashed(types.charter, i),
  world_id_with_charter: (i) => {
    const charter = hashed(types.charter, i.charter);
    return {
      hash: worldID("world2", i, charter.hash),
      steps: { ...worldSteps(i), charter_bytes_hex: charter.canonical, charter_hash_hex: charter.hash },
    };
  },
  adapter: (i) => ({ canonical: types.adapter.write(i) }),
  capability: (i) => ({
    canonical: types.capability.write(i),
    hash: i.fah_hex ? raw(i.fah_hex) : blake3(label("fah"), types.manifest.write(i.manifest)),
  }),
  fingerprint: (i) => ({ hash: fingerprint(i) }),
  handle: (i) => ({
    hash: blake3(label("handle"), raw(i.observer_secret_hex), fingerprint(i)), steps: { fingerprint_hex: fingerprint(i) },
  }),
  metrics: (i) => ({ canonical: types.metrics.write(i), steps: { aggregate_bytes_hex: types.metrics.write(rounded(i)) } }),
  bah: (i) => {
    const aggregate = types.metrics.write(rounded(i.metrics));
    const signatures = [...new Set(i.verifier_signatures_hex ?? [])].sort().map(raw);
    return {
      hash: blake3(label("bah"), raw(i.fah_hex), le64(i.epoch_id), aggregate, ...signatures), steps: { aggregate_bytes_hex: aggregate },
    };
  },
  replica_id: (i) => ({ hash: blake3(label("replica"), raw(i.transport_key_hex), raw(i.world_hex), le64(i.epoch_id)) }),
  keyed_replica_id: (i) => ({ hash: blake3Keyed(raw(i.member_secret_hex), label("replica"), raw(i.world_hex), le64(i.epoch_id)) }),
  secret_derivation: (i) => {
    const info = Buffer.concat([string.write(i.label), ...i.parts_hex.map(bytes.write)]);
    return { hash: hkdf(raw(i.secret_hex), info), steps: { info_hex: info } };
  },
  terrain_place: (i) => {
    const hash = blake3Keyed(raw(i.control_plane_key_hex), label("terrain"), raw(i.world_hex), le64(i.epoch_id), raw(i.transport_key_hex));
    const [region, chunk, cell] = [hash.readBigUInt64LE(0), hash.readBigUInt64LE(8), hash.readUInt32LE(16)];
    const canonical = types.terrain.write({ epoch_id: i.epoch_id, region_id: region, chunk_id: chunk, cell_id: cell });
    return {
      canonical, hash,
      steps: { region_id: `${region}`, chunk_id: `${chunk}`, cell_id: `${cell}`, phrase_address: phraseAddress(canonical) },
    };
  },
  ticket: (i) => {
    const output = ticketOutput(i);
    return { canonical: Buffer.concat([raw(i.nonce_hex), raw(i.anchor_hex), output]), hash: output };
  },
  statement: (i) => {
    const canonical = types.statement.write({ world_hex: i.world_hex, slot: { [i.about]: i }, content_hex: i.content_hex });
    const hash = blake3(label("statement"), canonical);
    const message = Buffer.concat([label(`${i.about}-sig`), raw(i.world_hex), hash, canonical]);
    const seed = raw(i.signer_seed_hex);
    return {
      canonical, hash,
      steps: { signer_key_hex: publicKey(seed), domain: `${i.about}-sig`, signed_message_hex: message, signature_hex: sign(seed, message) },
    };
  },
  phrase_address: (i) => ({ steps: { phrase_address: phraseAddress(raw(i.payload_hex)) } }),
  phrase_address_refused: (i) => ({ steps: { error: readPhraseAddress(i.phrase_address) } }),
  ticket_refused: (i) => {
    const zeros = bits(raw(i.output_hex)).padEnd(257, "1").indexOf("1");
    const error = zeros < i.zero_bits ? "work" : ticketOutput(i).toString("hex") === i.output_hex ? "accepted" : "output";
    return { steps: { error } };
  },
};

// reasonOf runs f and says why it refused.
export function reasonOf(f) {
  try {
    f();
    return "accepted";
  } catch (e) {
    if (e instanceof Refused) return e.reason;
    throw e;
  }
}
