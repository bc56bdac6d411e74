// Cohere's SDK: chat, embeddings.
import assert from 'node:assert/strict';

import { Cohere, CohereClientV2 } from 'cohere-ai';

import { afterSystem, dataURL, embeddings, functions } from './alike.js';
import { clientKey, url } from './stand.js';
import { suite } from './suite.js';

// The SDK leaves the timer of an aborted request running, by default for minutes, and Node.js waits for it.
const timeoutInSeconds = 20;
const connect = (headers) => new CohereClientV2({ environment: url, token: clientKey, maxRetries: 0, timeoutInSeconds, headers });

suite({
  name: 'cohere-ai, chat',
  client: connect,
  async send(client, ask, { stream, signal, each }) {
    const params = {
      model: ask.model,
      messages: afterSystem(ask, messages),
      tools: functions(ask.tools),
      responseFormat: ask.schema && { type: 'json_object', jsonSchema: ask.schema },
      thinking: ask.think ? { type: 'enabled', tokenBudget: 2048 } : undefined,
      maxTokens: ask.max,
      stopSequences: ask.stop,
      temperature: ask.temperature,
    };
    if (!stream) return read(await client.chat(params, { abortSignal: signal }));
    const whole = { message: { role: 'assistant', content: [], toolCalls: [] } };
    let pieces = 0;
    for await (const event of await client.chatStream(params, { abortSignal: signal })) {
      if (gather(whole, event)) {
        pieces++;
        each();
      }
    }
    assert.ok(whole.finishReason, 'a stream without message-end');
    return { ...read(whole), pieces };
  },
  errors: {
    invalid: [Cohere.BadRequestError, 400],
    auth: [Cohere.UnauthorizedError, 401],
    notFound: [Cohere.NotFoundError, 404],
    rateLimited: [Cohere.TooManyRequestsError, 429],
    server: [Cohere.InternalServerError, 500],
  },
  told: (e) => ({ status: e.statusCode, message: e.message }),
  finish: { stop: 'COMPLETE', length: 'MAX_TOKENS', calls: 'TOOL_CALL' },
});

function messages(turn) {
  if (turn.answer) return [turn.answer.own];
  if (turn.results) return turn.results.map((r) => ({ role: 'tool', toolCallId: r.id, content: r.text }));
  if (!turn.image) return [{ role: 'user', content: turn.text }];
  return [{ role: 'user', content: [{ type: 'text', text: turn.text }, { type: 'image_url', imageUrl: { url: dataURL(turn.image) } }] }];
}

/** gather adds an event to an answer, and tells whether it was a piece of a text. */
function gather(whole, event) {
  const delta = event.delta?.message;
  const { message } = whole;
  switch (event.type) {
    case 'message-start':
      whole.id = event.id;
      return false;
    case 'content-start':
      message.content[event.index] = { ...delta.content };
      return false;
    case 'content-delta':
      for (const [key, piece] of Object.entries(delta.content)) {
        if (key !== 'type') message.content[event.index][key] = (message.content[event.index][key] ?? '') + piece;
      }
      return true;
    case 'tool-plan-delta':
      message.toolPlan = (message.toolPlan ?? '') + delta.toolPlan;
      return true;
    case 'tool-call-start':
      message.toolCalls[event.index] = structuredClone(delta.toolCalls);
      return false;
    case 'tool-call-delta':
      message.toolCalls[event.index].function.arguments += delta.toolCalls.function.arguments;
      return true;
    case 'message-end':
      assert.equal(event.delta.error, undefined, event.delta.error);
      Object.assign(whole, { finishReason: event.delta.finishReason, usage: event.delta.usage });
      return false;
    default:
      return false;
  }
}

function read({ message, ...r }) {
  const of = (type) => (message.content ?? []).filter((c) => c?.type === type);
  const calls = message.toolCalls ?? [];
  return {
    text: (message.toolPlan ?? '') + of('text').map((c) => c.text).join(''),
    thinking: of('thinking').map((c) => c.thinking).join(''),
    calls: calls.map((c) => ({ id: c.id, name: c.function.name, args: JSON.parse(c.function.arguments) })),
    finish: r.finishReason,
    usage: { input: r.usage.tokens.inputTokens, output: r.usage.tokens.outputTokens },
    own: { role: 'assistant', content: message.content, toolPlan: message.toolPlan, toolCalls: calls.length > 0 ? calls : undefined },
  };
}

embeddings('cohere-ai', async (model, texts) => {
  const r = await connect({}).embed({ model, texts, inputType: 'search_document', embeddingTypes: ['float'] });
  return r.embeddings.float;
});
