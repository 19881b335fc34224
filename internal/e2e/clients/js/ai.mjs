// The AI SDK (ai) with @ai-sdk/openai-compatible.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, embedMany, generateText, isStepCount, jsonSchema, Output, streamText, tool as define } from "ai";
import { z } from "zod";
import { baseURL, check, equal, keys, model, raises, run, tool, tooLong, vector, weather } from "./cases.mjs";

const connect = (apiKey, more = {}) =>
  createOpenAICompatible({ name: "culvert", baseURL, apiKey, supportsStructuredOutputs: true, ...more });
const chat = connect(keys.good).chatModel(model);
const completion = connect(keys.good).completionModel(model);

const ask = (prompt, more = {}) => generateText({ model: chat, prompt, maxRetries: 0, ...more });

// read is a stream, to its end. A failure is one of its parts, which is raised
// as whoever reads it would.
const read = async (prompt, more = {}, each = () => {}) => {
  const parts = [];
  const stream = streamText({ model: chat, prompt, maxRetries: 0, onError: () => {}, ...more });
  for await (const part of stream.fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "abort") throw new DOMException("the stream was stopped", "AbortError");
    parts.push(part);
    each(parts);
  }
  return parts;
};
const deltas = (parts) => parts.filter((p) => p.type === "text-delta").map((p) => p.text);

// tools is the tool, with what it does where that is wanted.
const tools = (execute) => ({
  [tool.name]: define({ description: tool.description, inputSchema: jsonSchema(tool.parameters), ...(execute && { execute }) }),
});

// failed is what an error must say, whoever made it.
const failed = (error, status, code, part) => {
  equal([error.statusCode, error.data?.error?.code], [status, code], "status and code");
  equal(error.isRetryable, status === 429 || status >= 500, "isRetryable");
  check(error.message.includes(part), "message:", error.message);
  return error;
};
const own = async (call, status, code, part) => failed(await raises(call, APICallError), status, code, part);
const refused = async (c, status) => {
  const error = await own(() => ask(c.refuse(status)), status, "planned", `refused ${c.nonce}`);
  equal(error.data.error.param, "temperature", "param");
};

// broken is a stream that must fail, after what came of it.
const broken = async (c, what) => {
  let begun = "";
  const error = await raises(() => read(c.plan(what), {}, (parts) => (begun = deltas(parts).join(""))), Error);
  equal(begun, c.begun, "what came before");
  return error;
};

// stopped is a call that is stopped once it is at the model server.
const stopped = async (c, call) => {
  const stop = new AbortController();
  const [error] = await Promise.all([raises(() => call(stop.signal), Error), c.arrived().then(() => stop.abort())]);
  equal(error.name, "AbortError", "error");
};

const calls = (list) => list.map((call) => [call.toolCallId, call.toolName, call.input]);
const wanted = (c) => c.cities.map((city) => [`call_${city}`, tool.name, { city }]);

await run({
  chat: async (c) => {
    const answer = await ask(c.plan("say"));
    equal([answer.text, answer.finishReason], [c.said, "stop"], "answer");
    equal([answer.usage.inputTokens, answer.usage.outputTokens], [c.tokens, c.count], "usage");
  },
  stream: async (c) => {
    const parts = await read(c.plan("say"));
    equal(deltas(parts), c.pieces, "tokens");
    equal(parts.at(-1).finishReason, "stop", "finish reason");
  },
  "slow-stream": async (c) => equal(deltas(await read(c.plan("slow"))).join(""), c.said, "answer"),
  usage: async (c) => {
    const parts = await read(c.plan("say"), { model: connect(keys.good, { includeUsage: true }).chatModel(model) });
    const { totalUsage } = parts.at(-1);
    equal([totalUsage.inputTokens, totalUsage.outputTokens, deltas(parts).join("")], [c.tokens, c.count, c.said], "usage");
  },
  tools: async (c) => {
    const answer = await ask(c.plan("call"), { tools: tools() });
    equal([calls(answer.toolCalls), answer.finishReason], [wanted(c), "tool-calls"], "calls");
  },
  "tools-stream": async (c) => {
    const parts = await read(c.plan("call"), { tools: tools() });
    equal(calls(parts.filter((p) => p.type === "tool-call")), wanted(c), "calls");
    check(parts.filter((p) => p.type === "tool-input-delta").length >= 6, "the calls do not come in pieces");
  },
  "tools-result": async (c) => {
    const answer = await ask(c.plan("call"), { tools: tools(({ city }) => weather(city)), stopWhen: isStepCount(2) });
    equal(answer.text, c.results, "answer");
  },
  schema: async (c) => {
    const shape = z.object({ nonce: z.string(), count: z.number() });
    const { output } = await ask(c.plan("schema"), { output: Output.object({ schema: shape }) });
    equal([output.nonce, output.count], [c.nonce, c.tokens], "answer");
  },
  completion: async (c) => equal((await ask(c.plan("say"), { model: completion })).text, c.said, "answer"),
  "completion-stream": async (c) => {
    equal(deltas(await read(c.plan("say"), { model: completion })), c.pieces, "tokens");
  },
  embeddings: async (c) => {
    const { embeddings, usage } = await embedMany({
      model: connect(keys.good).embeddingModel(model), maxRetries: 0, values: c.texts.map((t) => c.plan("embed", { text: t })),
    });
    equal(embeddings, c.texts.map(vector), "vectors");
    equal(usage.tokens, 2 * c.tokens, "tokens");
  },
  models: "The AI SDK has no call for models.",
  model: "The AI SDK has no call for models.",

  "stop-waiting": (c) => stopped(c, (abortSignal) => ask(c.plan("silent"), { abortSignal })),
  "stop-waiting-stream": (c) => stopped(c, (abortSignal) => read(c.plan("silent"), { abortSignal })),
  "stop-stream": async (c) => {
    const stop = new AbortController();
    let got = "";
    const error = await raises(() => read(c.plan("hold"), { abortSignal: stop.signal }, (parts) => {
      got = deltas(parts).join("");
      if (got === c.begun) stop.abort();
    }), Error);
    equal([got, error.name], [c.begun, "AbortError"], "what came before, and the error");
  },

  400: (c) => own(() => ask(c.plan("say"), { providerOptions: { culvert: { n: "two" } } }), 400, null, "n "),
  "400-upstream": (c) => refused(c, 400),
  401: (c) => own(() => ask(c.plan("say"), { model: connect(keys.wrong).chatModel(model) }), 401, "invalid_api_key", "bridge keys"),
  403: (c) => own(() => ask(c.plan("say"), { model: connect(keys.narrow).chatModel(model) }), 403, "model_not_found", model),
  404: (c) => own(() => ask(c.plan("say"), { model: connect(keys.good).chatModel("nobody/has") }), 404, "model_not_found", "nobody/has"),
  413: () => own(() => ask(tooLong()), 413, "body_too_large", "33554432 bytes"),
  "429-key": (c) => own(() => ask(c.plan("say"), { model: connect(keys.spent).chatModel(model) }), 429, "rate_limit_exceeded", "1 requests per month"),
  429: async (c) => {
    const error = await own(() => ask(c.refuse(429, { after: 7 })), 429, "planned", `refused ${c.nonce}`);
    equal(error.responseHeaders["retry-after"], "7", "Retry-After");
  },
  // By itself it waits two seconds.
  "429-retry": async (c) => equal((await ask(c.retry(3), { maxRetries: 2 })).text, c.said, "answer"),
  500: (c) => refused(c, 500),
  502: (c) => refused(c, 502),
  503: (c) => refused(c, 503),
  cut: async (c) => equal((await raises(() => ask(c.plan("cut")), APICallError)).statusCode, 502, "status"),
  "cut-stream": (c) => broken(c, "cut"),
  "slow-cut-stream": (c) => broken(c, "slow-cut"),
  "end-stream": (c) => broken(c, "end"),
  "fail-stream": async (c) => {
    const error = await broken(c, "fail");
    check(error.message.includes(`failed ${c.nonce}`), "message:", error.message);
  },
});
