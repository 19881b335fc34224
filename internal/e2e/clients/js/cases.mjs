// What the clients for Node.js have in common: where to go, what to ask for,
// and how to say what became of it. The list of cases is in ../cases_test.go;
// each client has a function for each, or the reason why it has none.

import { randomBytes } from "node:crypto";

const env = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; the test in .. sets it`);
  return value;
};

export const baseURL = env("CULVERT_BASE_URL");
export const model = env("CULVERT_MODEL");
export const keys = {
  good: env("CULVERT_KEY"),
  narrow: env("CULVERT_KEY_NARROW"),
  spent: env("CULVERT_KEY_SPENT"),
  wrong: "sk-culvert-of-nobody",
};

// longest is how long one case may take, in milliseconds: far more than it does
// on a machine with nothing else to do.
const longest = 60_000;

// tooLong is a prompt beyond the 32 MiB of a request.
export const tooLong = () => "x".repeat(33 << 20);

// tool is what the model may call.
export const tool = {
  name: "get_weather",
  description: "The weather in a city",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
};

// Case is one case under way.
export class Case {
  nonce = randomBytes(6).toString("hex").replace(/\d/g, (d) => "ghijklmnop"[d]);
  tokens = 100 + (randomBytes(2).readUInt16BE() % 900);
  after; // the Retry-After that was planned

  // plan is a prompt that has the model server do something.
  plan(what, more = {}) {
    return JSON.stringify({ do: what, nonce: this.nonce, tokens: this.tokens, ...more });
  }

  // refuse has it answer with a status.
  refuse(status, more = {}) {
    return this.plan("status", { status, ...more });
  }

  // retry has it refuse once, and say when to come again. The time is beyond
  // what the client would wait by itself.
  retry(seconds) {
    this.after = seconds;
    return this.refuse(429, { after: seconds, times: 1 });
  }

  // said is its answer to the plan "say".
  get said() {
    return [this.nonce, ...Array(16).keys(), "é漢🙂"].join(" ");
  }

  // pieces are its events; count how many there are.
  get pieces() {
    return this.said.split(/(?= )/);
  }
  get count() {
    return this.pieces.length;
  }

  // begun is what there is of it before a stream is cut.
  get begun() {
    return [this.nonce, 0, 1, 2].join(" ");
  }

  // texts are two to embed.
  get texts() {
    return [this.nonce + "é漢🙂", this.nonce];
  }

  // cities are what its calls of a tool are about; results its answer to what
  // weather() said of them.
  get cities() {
    return [this.nonce + "a", this.nonce + "b"];
  }
  get results() {
    return this.cities.map((city) => `call_${city} said ${weather(city)}`).join(", ");
  }

  // arrived waits until the request is at the model server.
  async arrived() {
    const answer = await fetch(`${env("CULVERT_CONTROL")}/arrived/${this.nonce}`);
    check(answer.ok, "the request does not arrive");
  }
}

// weather is what the tool says.
export const weather = (city) => `sunny ${city}`;

// vector is what the model server makes of a text.
export const vector = (text) => [...text].map((c) => c.codePointAt(0) / 128);

export function check(ok, ...what) {
  if (!ok) throw new Error(what.map((w) => (typeof w === "string" ? w : JSON.stringify(w))).join(" "));
}

export function equal(got, want, what) {
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)];
  check(g === w, `${what} = ${g}, want ${w}`);
}

// raises returns the error that a call must end with. What it gives instead is
// no error.
export async function raises(call, Class) {
  let got;
  try {
    got = await call();
  } catch (error) {
    check(error instanceof Class, `${error?.constructor?.name} (${error?.message}) is raised, want ${Class.name}`);
    return error;
  }
  throw new Error(`nothing is raised, and the answer is ${JSON.stringify(got)}; want ${Class.name}`);
}

// run goes through the cases and prints what became of each.
export async function run(cases) {
  for (const [name, test] of Object.entries(cases)) {
    if (typeof test === "string") {
      console.log(JSON.stringify({ case: name, result: "none", detail: test }));
      continue;
    }
    const c = new Case();
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it takes longer than ${longest} ms`)), longest);
    });
    let line = { case: name, result: "ok", nonce: c.nonce };
    try {
      await Promise.race([test(c), late]);
      line.after = c.after;
    } catch (error) {
      line = { ...line, result: "fail", detail: `${error?.stack ?? error}` };
    }
    clearTimeout(timer);
    console.log(JSON.stringify(line));
  }
  process.exit(0); // whatever a case that took too long still holds
}
