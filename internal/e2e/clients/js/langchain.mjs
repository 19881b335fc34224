// @langchain/openai. Its errors are those of the openai package, some with a
// code of its own.

import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAI as CompletionOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import OpenAI from "openai";
import { z } from "zod";
import { baseURL, check, equal, keys, model, raises, run, tool, tooLong, vector, weather } from "./cases.mjs";

const settings = (apiKey, more = {}) => ({
  model, apiKey, maxRetries: 0, configuration: { baseURL }, streamUsage: false, ...more,
});
const connect = (apiKey, more) => new ChatOpenAI(settings(apiKey, more));
const client = connect(keys.good);
const withTools = client.bindTools([{ type: "function", function: tool }]);

// read is a stream, to its end.
const read = async (prompt, each = () => {}, from = client, options = {}) => {
  const chunks = [];
  for await (const chunk of await from.stream(prompt, options)) {
    chunks.push(chunk);
    each(chunks);
  }
  return chunks;
};
const text = (chunks) => chunks.map((c) => c.content).join("");
const whole = (chunks) => chunks.reduce((all, chunk) => all.concat(chunk));

// refused has the model server answer with a status.
const refused = async (c, status, Class) => {
  const error = await raises(() => client.invoke(c.refuse(status)), Class);
  equal([error.status, error.code, error.param], [status, "planned", "temperature"], "status, code and param");
  check(error.message.includes(`refused ${c.nonce}`), "message:", error.message);
};

// own is an error of Culvert itself.
const own = async (call, Class, status, code, part, mark) => {
  const error = await raises(call, Class);
  equal([error.status, error.code, error.lc_error_code], [status, code, mark], "status, code and LangChain's code");
  check(error.message.includes(part), "message:", error.message);
};

// broken is a stream that must raise, after what came of it.
const broken = async (c, what) => {
  let begun = "";
  const error = await raises(() => read(c.plan(what), (chunks) => (begun = text(chunks))), OpenAI.APIError);
  equal(begun, c.begun, "what came before");
  return error;
};

// stopped is a call that is stopped once it is at the model server.
const stopped = async (c, call) => {
  const stop = new AbortController();
  const [error] = await Promise.all([raises(() => call(stop.signal), Error), c.arrived().then(() => stop.abort())]);
  check(/abort/i.test(`${error.name} ${error.message}`), `${error.name}: ${error.message} is raised, want that it was stopped`);
};

// calls are what a tool is called with.
const calls = (list) => list.map((call) => [call.id, call.name, call.args]);
const wanted = (c) => c.cities.map((city) => [`call_${city}`, tool.name, { city }]);

await run({
  chat: async (c) => {
    const answer = await client.invoke(c.plan("say"));
    equal([answer.content, answer.response_metadata.finish_reason], [c.said, "stop"], "answer");
    equal([answer.usage_metadata.input_tokens, answer.usage_metadata.output_tokens], [c.tokens, c.count], "usage");
  },
  stream: async (c) => {
    const chunks = await read(c.plan("say"));
    equal(chunks.map((k) => k.content).filter(Boolean), c.pieces, "tokens");
    equal(chunks.at(-1).response_metadata.finish_reason, "stop", "finish_reason");
  },
  "slow-stream": async (c) => equal(text(await read(c.plan("slow"))), c.said, "answer"),
  usage: async (c) => {
    const answer = whole(await read(c.plan("say"), undefined, connect(keys.good, { streamUsage: true })));
    equal([answer.content, answer.usage_metadata.input_tokens, answer.usage_metadata.output_tokens], [c.said, c.tokens, c.count], "usage");
  },
  tools: async (c) => equal(calls((await withTools.invoke(c.plan("call"))).tool_calls), wanted(c), "calls"),
  "tools-stream": async (c) => {
    const chunks = await read(c.plan("call"), undefined, withTools);
    equal(calls(whole(chunks).tool_calls), wanted(c), "calls");
    check(chunks.filter((k) => k.tool_call_chunks?.length).length >= 6, "the calls do not come in pieces");
  },
  "tools-result": async (c) => {
    const asked = new HumanMessage(c.plan("call"));
    const call = await withTools.invoke([asked]);
    const results = call.tool_calls.map(({ id, args }) => new ToolMessage({ tool_call_id: id, content: weather(args.city) }));
    equal((await withTools.invoke([asked, call, ...results])).content, c.results, "answer");
  },
  schema: async (c) => {
    const shape = z.object({ nonce: z.string(), count: z.number() });
    const answer = await client.withStructuredOutput(shape, { name: "answer", method: "jsonSchema" }).invoke(c.plan("schema"));
    equal([answer.nonce, answer.count], [c.nonce, c.tokens], "answer");
  },
  completion: async (c) => {
    equal(await new CompletionOpenAI(settings(keys.good, { maxTokens: 64 })).invoke(c.plan("say")), c.said, "answer");
  },
  "completion-stream": async (c) => {
    const pieces = [];
    for await (const piece of await new CompletionOpenAI(settings(keys.good, { maxTokens: 64 })).stream(c.plan("say"))) pieces.push(piece);
    equal(pieces.filter(Boolean), c.pieces, "tokens");
  },
  embeddings: async (c) => {
    const embedder = new OpenAIEmbeddings(settings(keys.good));
    equal(await embedder.embedDocuments(c.texts.map((t) => c.plan("embed", { text: t }))), c.texts.map(vector), "vectors");
  },
  models: "LangChain.js has no call for models.",
  model: "LangChain.js has no call for models.",

  "stop-waiting": (c) => stopped(c, (signal) => client.invoke(c.plan("silent"), { signal })),
  "stop-waiting-stream": (c) => stopped(c, (signal) => read(c.plan("silent"), undefined, client, { signal })),
  "stop-stream": async (c) => {
    let got = "";
    for await (const chunk of await client.stream(c.plan("hold"))) {
      got += chunk.content;
      if (got === c.begun) break; // which aborts
    }
    equal(got, c.begun, "what came before");
  },

  400: () => own(() => client.invoke([]), OpenAI.BadRequestError, 400, null, "messages"),
  "400-upstream": (c) => refused(c, 400, OpenAI.BadRequestError),
  401: (c) => own(() => connect(keys.wrong).invoke(c.plan("say")), OpenAI.AuthenticationError, 401, "invalid_api_key", "bridge keys", "MODEL_AUTHENTICATION"),
  403: (c) => own(() => connect(keys.narrow).invoke(c.plan("say")), OpenAI.PermissionDeniedError, 403, "model_not_found", model),
  404: (c) => own(() => connect(keys.good, { model: "nobody/has" }).invoke(c.plan("say")), OpenAI.NotFoundError, 404, "model_not_found", "nobody/has", "MODEL_NOT_FOUND"),
  413: () => own(() => client.invoke(tooLong()), OpenAI.APIError, 413, "body_too_large", "33554432 bytes"),
  "429-key": (c) => own(() => connect(keys.spent, { maxRetries: 2 }).invoke(c.plan("say")), OpenAI.RateLimitError, 429, "rate_limit_exceeded", "1 requests per month", "MODEL_RATE_LIMIT"),
  429: async (c) => {
    const error = await raises(() => client.invoke(c.refuse(429, { after: 7 })), OpenAI.RateLimitError);
    equal([error.status, error.code, error.headers.get("retry-after")], [429, "planned", "7"], "status, code and Retry-After");
    equal(error.lc_error_code, "MODEL_RATE_LIMIT", "LangChain's code");
  },
  // By itself it waits one to two seconds.
  "429-retry": async (c) => {
    equal((await connect(keys.good, { maxRetries: 2 }).invoke(c.retry(3))).content, c.said, "answer");
  },
  500: (c) => refused(c, 500, OpenAI.InternalServerError),
  502: (c) => refused(c, 502, OpenAI.InternalServerError),
  503: (c) => refused(c, 503, OpenAI.InternalServerError),
  cut: async (c) => equal((await raises(() => client.invoke(c.plan("cut")), OpenAI.InternalServerError)).status, 502, "status"),
  "cut-stream": (c) => broken(c, "cut"),
  "slow-cut-stream": (c) => broken(c, "slow-cut"),
  "end-stream": (c) => broken(c, "end"),
  "fail-stream": async (c) => {
    const error = await broken(c, "fail");
    check(error.message.includes(`failed ${c.nonce}`), "message:", error.message);
  },
});
