// Canonical bytes: a type is {write(value) → Buffer, read(input) → value}. A
// reader takes nothing that a writer would not have written.

export class Refused extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

export const refuse = (reason) => {
  throw new Refused(reason);
};

class Input {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  get left() {
    return this.bytes.length - this.at;
  }
  take(n) {
    if (n > this.left) refuse("truncated");
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }
  varint(bits) {
    let value = 0n;
    for (let i = 0n; ; i++) {
      const byte = BigInt(this.take(1)[0]);
      value |= (byte & 0x7fn) << (7n * i);
      if (i > 9n || (i === 9n && byte > 1n)) refuse("varint");
      if (byte < 0x80n) {
        if ((byte === 0n && i > 0n) || value >> BigInt(bits)) refuse("varint");
        return value;
      }
    }
  }
  length(size = 1) {
    const n = this.varint(64);
    if (n > BigInt(Math.floor(this.left / size))) refuse("length");
    return Number(n);
  }
}

// decode reads all of bytes as a type.
export function decode(type, bytes) {
  const input = new Input(bytes);
  const value = type.read(input);
  if (input.left > 0) refuse("trailing");
  return value;
}

export function varint(value) {
  const out = [];
  let v = BigInt(value);
  for (; v >= 0x80n; v >>= 7n) out.push(Number(v & 0x7fn) | 0x80);
  return Buffer.from([...out, Number(v)]);
}

const unsigned = (bits) => ({ min: 1, write: varint, read: (r) => r.varint(bits) });

export const u8 = { min: 1, write: (v) => Buffer.from([v]), read: (r) => r.take(1)[0] };
export const u32 = unsigned(32);
export const u64 = unsigned(64);

export const f64 = {
  min: 8,
  write: (v) => {
    const b = Buffer.alloc(8);
    b.writeDoubleLE(v + 0); // minus zero plus zero is zero
    return b;
  },
  read: (r) => {
    const v = r.take(8).readDoubleLE();
    return Number.isFinite(v) && !Object.is(v, -0) ? v : refuse("float");
  },
};

// Byte strings are hexadecimal outside, as vectors have them.
const unhex = (v) => Buffer.from(v, "hex");

export const bytes = {
  min: 1,
  write: (v) => Buffer.concat([varint(v.length / 2), unhex(v)]),
  read: (r) => r.take(r.length()).toString("hex"),
};

export const sized = (n) => ({
  min: 1,
  write: bytes.write,
  read: (r) => {
    const v = bytes.read(r);
    return v.length === 2 * n ? v : refuse("size");
  },
});

export const array = (n) => ({ min: n, write: unhex, read: (r) => r.take(n).toString("hex") });

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const string = {
  min: 1,
  write: (v) => {
    const b = Buffer.from(v, "utf8");
    return Buffer.concat([varint(b.length), b]);
  },
  read: (r) => {
    const b = r.take(r.length());
    try {
      return utf8.decode(b);
    } catch {
      return refuse("utf8");
    }
  },
};

export const option = (type) => ({
  min: 1,
  write: (v) => (v === undefined ? Buffer.from([0]) : Buffer.concat([Buffer.from([1]), type.write(v)])),
  read: (r) => {
    const mark = r.take(1)[0];
    if (mark > 1) refuse("bool");
    return mark === 1 ? type.read(r) : undefined;
  },
});

// A sequence is sorted by what key gives of an item, and holds nothing twice.
export const sequence = (type, key = type.write) => {
  const compare = (a, b) => {
    const [x, y] = [key(a), key(b)].map((k) => (Array.isArray(k) ? k : [k]));
    return x.map((part, i) => Buffer.compare(part, y[i])).find((c) => c !== 0) ?? 0;
  };
  return {
    min: 1,
    write: (list) => {
      const sorted = [...list].sort(compare).filter((v, i, all) => i === 0 || compare(all[i - 1], v) !== 0);
      return Buffer.concat([varint(sorted.length), ...sorted.map(type.write)]);
    },
    read: (r) => {
      const list = [];
      for (let n = r.length(type.min); n > 0; n--) {
        list.push(type.read(r));
        if (list.length > 1 && compare(list.at(-2), list.at(-1)) >= 0) refuse("order");
      }
      return list;
    },
  };
};

// A struct is its fields in order.
export const struct = (fields) => {
  const names = Object.keys(fields);
  return {
    min: names.reduce((sum, name) => sum + fields[name].min, 0),
    write: (v) => Buffer.concat(names.map((name) => fields[name].write(v[name]))),
    read: (r) => Object.fromEntries(names.map((name) => [name, fields[name].read(r)])),
  };
};

// An enum is {its variant's name: its value}.
export const variants = (types) => {
  const names = Object.keys(types);
  return {
    min: 1,
    write: (v) => {
      const i = names.findIndex((name) => v[name] !== undefined);
      return Buffer.concat([varint(i), types[names[i]].write(v[names[i]])]);
    },
    read: (r) => {
      const i = Number(r.varint(32));
      if (i >= names.length) refuse("variant");
      return { [names[i]]: types[names[i]].read(r) };
    },
  };
};

// An enum without fields is its number.
export const plain = (count) => ({
  min: 1,
  write: varint,
  read: (r) => {
    const i = Number(r.varint(32));
    return i < count ? i : refuse("variant");
  },
});
