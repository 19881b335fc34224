// The openai package.

import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { baseURL, check, equal, keys, model, raises, run, tool, tooLong, vector, weather } from "./cases.mjs";

const connect = (apiKey, maxRetries = 0) => new OpenAI({ baseURL, apiKey, maxRetries });
const client = connect(keys.good);

const user = (content) => [{ role: "user", content }];
const tools = [{ type: "function", function: { ...tool, strict: true } }];

// ask is a chat; read one that is streamed, to its end.
const ask = (prompt, more = {}, from = client, options = {}) =>
  from.chat.completions.create({ model, messages: user(prompt), ...more }, options);
const read = async (prompt, each = () => {}, more = {}) => {
  const chunks = [];
  for await (const chunk of await ask(prompt, { stream: true, ...more })) {
    chunks.push(chunk);
    each(chunk, chunks);
  }
  return chunks;
};
const text = (chunks) => chunks.map((c) => c.choices[0]?.delta?.content ?? "").join("");

// refused has the model server answer with a status, and returns the error.
const refused = async (c, status, Class) => {
  const error = await raises(() => ask(c.refuse(status)), Class);
  equal([error.status, error.code, error.param], [status, "planned", "temperature"], "status, code and param");
  check(error.message.includes(`refused ${c.nonce}`), "message:", error.message);
  check(error.requestID, "there is no request id");
  return error;
};

// own is an error of Culvert itself.
const own = async (call, Class, status, code, param, part) => {
  const error = await raises(call, Class);
  equal([error.status, error.code, error.param], [status, code, param], "status, code and param");
  check(error.message.includes(part), "message:", error.message);
};

// broken is a stream that must raise, after what came of it.
const broken = async (c, what) => {
  let begun = "";
  const error = await raises(() => read(c.plan(what), (_, chunks) => (begun = text(chunks))), OpenAI.APIError);
  equal(begun, c.begun, "what came before");
  return error;
};

// calls are what a tool is called with.
const calls = (list) => list.map((call) => [call.id, call.type, call.function.name, JSON.parse(call.function.arguments)]);
const wanted = (c) => c.cities.map((city) => [`call_${city}`, "function", tool.name, { city }]);

await run({
  chat: async (c) => {
    const answer = await ask(c.plan("say"));
    equal([answer.choices[0].message.content, answer.choices[0].finish_reason], [c.said, "stop"], "answer");
    equal(answer.usage, { completion_tokens: c.count, prompt_tokens: c.tokens, total_tokens: c.tokens + c.count }, "usage");
    check(answer._request_id, "there is no request id");
  },
  stream: async (c) => {
    const chunks = await read(c.plan("say"));
    equal(chunks.slice(0, c.count).map((k) => k.choices[0].delta.content), c.pieces, "tokens");
    equal([chunks.length, chunks.at(-1).choices[0].finish_reason], [c.count + 1, "stop"], "the end");
  },
  "slow-stream": async (c) => equal(text(await read(c.plan("slow"))), c.said, "answer"),
  usage: async (c) => {
    const chunks = await read(c.plan("say"), undefined, { stream_options: { include_usage: true } });
    equal([chunks.at(-1).usage.prompt_tokens, chunks.at(-1).usage.completion_tokens], [c.tokens, c.count], "usage");
    equal([chunks.at(-1).choices, text(chunks)], [[], c.said], "choices and text");
  },
  tools: async (c) => {
    const { message, finish_reason } = (await ask(c.plan("call"), { tools })).choices[0];
    equal(calls(message.tool_calls), wanted(c), "calls");
    equal(finish_reason, "tool_calls", "finish_reason");
  },
  "tools-stream": async (c) => {
    const stream = client.chat.completions.stream({ model, messages: user(c.plan("call")), tools });
    let parts = 0;
    stream.on("tool_calls.function.arguments.delta", () => parts++);
    const { message } = (await stream.finalChatCompletion()).choices[0];
    equal(calls(message.tool_calls), wanted(c), "calls");
    check(parts >= 6, `arguments come in ${parts} parts, want 6`);
  },
  "tools-result": async (c) => {
    const runner = client.chat.completions.runTools({
      model,
      messages: user(c.plan("call")),
      tools: [{ type: "function", function: { ...tool, parse: JSON.parse, function: ({ city }) => weather(city) } }],
    });
    equal(await runner.finalContent(), c.results, "answer");
  },
  schema: async (c) => {
    const shape = z.object({ nonce: z.string(), count: z.number() });
    const answer = await client.chat.completions.parse({
      model, messages: user(c.plan("schema")), response_format: zodResponseFormat(shape, "answer"),
    });
    equal([answer.choices[0].message.parsed.nonce, answer.choices[0].message.parsed.count], [c.nonce, c.tokens], "answer");
  },
  completion: async (c) => {
    const answer = await client.completions.create({ model, prompt: c.plan("say") });
    equal([answer.choices[0].text, answer.usage.prompt_tokens], [c.said, c.tokens], "answer");
  },
  "completion-stream": async (c) => {
    let got = "";
    for await (const chunk of await client.completions.create({ model, prompt: c.plan("say"), stream: true })) {
      got += chunk.choices[0].text;
    }
    equal(got, c.said, "answer");
  },
  embeddings: async (c) => {
    const answer = await client.embeddings.create({ model, input: c.texts.map((t) => c.plan("embed", { text: t })) });
    equal(answer.data.map((d) => d.embedding), c.texts.map(vector), "vectors");
    equal(answer.usage.prompt_tokens, 2 * c.tokens, "tokens");
  },
  models: async () => {
    const ids = [];
    for await (const one of client.models.list()) ids.push(one.id);
    equal(ids, [model], "models");
  },
  model: async () => {
    const one = await client.models.retrieve(model);
    equal([one.id, one.object], [model, "model"], "model");
  },

  "stop-waiting": async (c) => {
    const stop = new AbortController();
    const asked = ask(c.plan("silent"), {}, client, { signal: stop.signal });
    const [error] = await Promise.all([raises(() => asked, OpenAI.APIUserAbortError), c.arrived().then(() => stop.abort())]);
    check(error.message, "the error says nothing");
  },
  "stop-waiting-stream": async (c) => {
    const stop = new AbortController();
    const asked = ask(c.plan("silent"), { stream: true }, client, { signal: stop.signal });
    await Promise.all([raises(() => asked, OpenAI.APIUserAbortError), c.arrived().then(() => stop.abort())]);
  },
  "stop-stream": async (c) => {
    let got = "";
    for await (const chunk of await ask(c.plan("hold"), { stream: true })) {
      got += chunk.choices[0].delta.content;
      if (got === c.begun) break; // which aborts
    }
    equal(got, c.begun, "what came before");
  },

  400: () => own(() => client.chat.completions.create({ model, messages: [] }), OpenAI.BadRequestError, 400, null, "messages", "messages"),
  "400-upstream": (c) => refused(c, 400, OpenAI.BadRequestError),
  401: (c) => own(() => ask(c.plan("say"), {}, connect(keys.wrong)), OpenAI.AuthenticationError, 401, "invalid_api_key", null, "bridge keys"),
  403: (c) => own(() => ask(c.plan("say"), {}, connect(keys.narrow)), OpenAI.PermissionDeniedError, 403, "model_not_found", "model", model),
  404: (c) => own(() => ask(c.plan("say"), { model: "nobody/has" }), OpenAI.NotFoundError, 404, "model_not_found", "model", "nobody/has"),
  413: () => own(() => ask(tooLong()), OpenAI.APIError, 413, "body_too_large", null, "33554432 bytes"),
  "429-key": (c) => own(() => ask(c.plan("say"), {}, connect(keys.spent, 2)), OpenAI.RateLimitError, 429, "rate_limit_exceeded", null, "1 requests per month"),
  429: async (c) => {
    const error = await raises(() => ask(c.refuse(429, { after: 7 })), OpenAI.RateLimitError);
    equal([error.status, error.code, error.headers.get("retry-after")], [429, "planned", "7"], "status, code and Retry-After");
  },
  // By itself it waits half a second.
  "429-retry": async (c) => {
    const answer = await ask(c.retry(1), {}, connect(keys.good, 2));
    equal(answer.choices[0].message.content, c.said, "answer");
  },
  500: (c) => refused(c, 500, OpenAI.InternalServerError),
  502: (c) => refused(c, 502, OpenAI.InternalServerError),
  503: (c) => refused(c, 503, OpenAI.InternalServerError),
  cut: async (c) => {
    const error = await raises(() => ask(c.plan("cut")), OpenAI.InternalServerError);
    equal(error.status, 502, "status");
  },
  "cut-stream": (c) => broken(c, "cut"),
  "slow-cut-stream": (c) => broken(c, "slow-cut"),
  "end-stream": (c) => broken(c, "end"),
  "fail-stream": async (c) => {
    const error = await broken(c, "fail");
    check(error.message.includes(`failed ${c.nonce}`), "message:", error.message);
  },
});
