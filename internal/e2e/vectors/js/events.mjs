// Events and descriptors: made from their inputs and a seed, and read from bytes
// that are to be refused.

import { blake3 } from "./blake3.mjs";
import { publicKey, sign, verify } from "./keys.mjs";
import { label, le64, raw, reasonOf } from "./names.mjs";
import { decode, refuse } from "./postcard.mjs";
import { readers as rosterReaders } from "./roster.mjs";
import * as types from "./types.mjs";

const MAX_EVENT = 16384;

function makeDescriptor(i) {
  const seed = raw(i.author_seed_hex);
  const canonical = types.unsigned.write(i.unsigned);
  const id = blake3(label("descriptor"), canonical);
  const message = Buffer.concat([label("desc-sig"), raw(i.unsigned.world_hex), id, canonical]);
  const value = {
    descriptor_id_hex: id.toString("hex"), unsigned: i.unsigned,
    key_hex: publicKey(seed).toString("hex"), signature_hex: sign(seed, message).toString("hex"),
  };
  return { id, value, canonical, message };
}

const signedSteps = (domain, value, unsigned, message) => ({
  author_key_hex: value.key_hex, domain, unsigned_hex: unsigned, signed_message_hex: message, signature_hex: value.signature_hex,
});

function wrap(kind, value, place, steps) {
  const whole = types.body.write({ [kind.name]: value });
  const id = blake3(whole);
  const head = types.envelope.write({ event_id_hex: id.toString("hex"), ...place, type: kind.type });
  return { canonical: Buffer.concat([head, whole]), hash: id, steps: { ...steps, body_hex: whole } };
}

function makePublish(kind, i) {
  const d = makeDescriptor(i);
  const place = { world_hex: i.unsigned.world_hex, epoch_id: i.unsigned.descriptor_epoch };
  return wrap(kind, { ...place, descriptor: d.value }, place, {
    ...signedSteps(kind.domain, d.value, d.canonical, d.message), unsigned_hash_hex: d.id,
  });
}

// The bytes under a signature.
function messageOf(kind, place, unsigned) {
  const epoch = kind.placed ? [] : [le64(place.epoch_id)];
  return Buffer.concat([label(kind.domain), raw(place.world_hex), blake3(unsigned), ...epoch, unsigned]);
}

function makeSigned(kind, i) {
  const seed = raw(i.author_seed_hex);
  const value = { ...i, key_hex: publicKey(seed).toString("hex") };
  if (kind.name === "shard") value.payload_digest_hex = blake3(raw(i.redacted_payload_hex)).toString("hex");
  const unsigned = kind.unsigned.write(value);
  const message = messageOf(kind, i, unsigned);
  value.id_hex = blake3(unsigned).toString("hex");
  value.signature_hex = sign(seed, message).toString("hex");
  return wrap(kind, value, { world_hex: i.world_hex, epoch_id: i.epoch_id }, {
    ...signedSteps(kind.domain, value, unsigned, message), unsigned_hash_hex: blake3(unsigned),
  });
}

export const events = Object.fromEntries(
  types.bodies.map((kind) => [`event_${kind.name}`, (i) => (kind.name === "descriptor_publish" ? makePublish(kind, i) : makeSigned(kind, i))]),
);

events.descriptor = (i) => {
  const d = makeDescriptor(i);
  return { canonical: types.descriptor.write(d.value), hash: d.id, steps: signedSteps("desc-sig", d.value, d.canonical, d.message) };
};

// Bounds of docs/spec/event.md §3.
const inRange = (v, most) => (v >= 0 && v <= most) || refuse("bounds");
const shorter = (v, most) => Buffer.byteLength(v, "utf8") <= most || refuse("bounds");

function boundMetrics(m) {
  for (const v of [m.success_rate, m.refusal_consistency, m.tool_fidelity, m.robustness_score, m.drift_indicator]) inRange(v, 1);
  inRange(Number(m.latency_p95_ms), 3600000);
  inRange(Number(m.latency_p50_ms), Number(m.latency_p95_ms));
}

const bounds = {
  receipt: () => {},
  attestation: (b) => {
    if ((b.freshness_anchor_hex ?? "").length > 256) refuse("bounds");
    boundMetrics(b.metrics);
  },
  dispute: (b) => b.event_a_hex !== b.event_b_hex ? shorter(b.reason, 256) : refuse("bounds"),
  link_hint: (b) => b.target_a_hex !== b.target_b_hex ? inRange(b.compatibility_score, 1) : refuse("bounds"),
  rule_endorsement: (b) => inRange(b.weight, 100),
  descriptor_publish: (b) => {
    if (b.world_hex !== b.descriptor.unsigned.world_hex || b.epoch_id !== b.descriptor.unsigned.descriptor_epoch) refuse("place");
  },
  shard: (b) => b.redacted_payload_hex.length <= 2 * 12288 ? shorter(b.source_type, 256) : refuse("bounds"),
  verdict: (b) => {
    if (!["accept", "reject", "quarantine"].includes(b.verdict) || b.reasons.length > 16) refuse("bounds");
    b.reasons.forEach((r) => shorter(r, 256));
  },
  training_manifest: (b) => {
    if (b.shard_ids_hex.length > 384) refuse("bounds");
    shorter(b.base_model_id, 256);
    shorter(b.method, 256);
  },
};

function checkDescriptor(d) {
  const canonical = types.unsigned.write(d.unsigned);
  const id = blake3(label("descriptor"), canonical);
  if (id.toString("hex") !== d.descriptor_id_hex) refuse("id");
  const message = Buffer.concat([label("desc-sig"), raw(d.unsigned.world_hex), id, canonical]);
  if (!verify(raw(d.key_hex), message, raw(d.signature_hex))) refuse("signature");
}

// readEvent refuses what a node would refuse, for the same reason.
function readEvent(input) {
  if (input.length > MAX_EVENT) refuse("too_large");
  let start;
  const whole = {
    read: (r) => {
      const head = types.envelope.read(r);
      start = r.at;
      return { head, body: types.body.read(r) };
    },
  };
  const { head, body } = decode(whole, input);
  const [name, value] = Object.entries(body)[0];
  const kind = types.bodies.find((b) => b.name === name);
  if (head.type !== kind.type) refuse("type");
  if (kind.placed && (value.world_hex !== head.world_hex || value.epoch_id !== head.epoch_id)) refuse("place");
  if (blake3(input.subarray(start)).toString("hex") !== head.event_id_hex) refuse("id");
  bounds[name](value);
  if (name === "descriptor_publish") return checkDescriptor(value.descriptor);
  const unsigned = kind.unsigned.write(value);
  if (name === "shard" && blake3(raw(value.redacted_payload_hex)).toString("hex") !== value.payload_digest_hex) refuse("id");
  if (kind.carriesID && blake3(unsigned).toString("hex") !== value.id_hex) refuse("id");
  if (!verify(raw(value.key_hex), messageOf(kind, head, unsigned), raw(value.signature_hex))) refuse("signature");
}

const readers = {
  event: readEvent,
  charter: (b) => decode(types.charter, b),
  rule_bundle: (b) => decode(types.ruleBundle, b),
  capability_manifest: (b) => decode(types.manifest, b),
  descriptor: (b) => checkDescriptor(decode(types.descriptor, b)),
  metrics: (b) => boundMetrics(decode(types.metrics, b)),
  terrain_address: (b) => decode(types.terrain, b),
  ...rosterReaders,
};

events.refused = (i) => ({ steps: { error: reasonOf(() => readers[i.type](raw(i.bytes_hex))) } });

// What is written can be read: every event made above is accepted, and so is what
// the roster's readers read.
export const accepted = (kind, canonical) => {
  const read = kind.startsWith("event_") ? readEvent : rosterReaders[kind];
  return !read || reasonOf(() => read(canonical)) === "accepted";
};
