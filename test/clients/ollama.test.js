// Ollama's SDK: chat, embeddings.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Ollama } from 'ollama';

import { afterSystem, embeddings, functions } from './alike.js';
import { model, providers, url } from './stand.js';
import { suite } from './suite.js';

const connect = (headers) => new Ollama({ host: url, headers });

// The SDK exports no class for its errors.
const ResponseError = await connect({}).show({ model: 'nobody:none' }).catch((e) => e.constructor);

suite({
  name: 'ollama, chat',
  client: connect,
  async send(client, ask, { stream, signal, each }) {
    const params = {
      model: ask.model,
      messages: afterSystem(ask, messages),
      tools: functions(ask.tools),
      format: ask.schema,
      think: ask.think,
      options: { num_predict: ask.max, stop: ask.stop, temperature: ask.temperature },
    };
    if (!stream) return read(await client.chat({ ...params, stream: false }));
    const s = await client.chat({ ...params, stream: true });
    signal?.addEventListener('abort', () => s.abort());
    const whole = { message: { role: 'assistant', content: '', thinking: '', tool_calls: [] } };
    let pieces = 0;
    for await (const { message, ...part } of s) {
      pieces++;
      whole.message.content += message.content;
      whole.message.thinking += message.thinking ?? '';
      whole.message.tool_calls.push(...(message.tool_calls ?? []));
      Object.assign(whole, part);
      each();
    }
    return { ...read(whole), pieces };
  },
  errors: {
    invalid: [ResponseError, 400],
    auth: [ResponseError, 401],
    notFound: [ResponseError, 404],
    rateLimited: [ResponseError, 429],
    server: [ResponseError, 502],
  },
  told: (e) => ({ status: e.status_code, message: e.message }),
  finish: { stop: 'stop', length: 'length', calls: 'stop' },
  lacks: ['the client leaves before the answer'],
});

function messages(turn) {
  if (turn.answer) return [turn.answer.own];
  if (turn.results) return turn.results.map((r) => ({ role: 'tool', tool_name: r.name, content: r.text }));
  return [{ role: 'user', content: turn.text, images: turn.image && [turn.image] }];
}

function read({ message, ...r }) {
  return {
    text: message.content,
    thinking: message.thinking ?? '',
    calls: (message.tool_calls ?? []).map((c) => ({ id: c.id, name: c.function.name, args: c.function.arguments })),
    finish: r.done_reason,
    model: r.model,
    usage: { input: r.prompt_eval_count, output: r.eval_count },
    own: message,
  };
}

embeddings('ollama', async (model, input) => (await connect({}).embed({ model, input })).embeddings);

describe('ollama, models', () => {
  test('each can be asked about', async () => {
    const { models } = await connect({}).list();
    for (const provider of providers) {
      const id = `${provider.name}:${model}`;
      assert.ok(models.some((m) => m.model === id), id);
      assert.ok((await connect({}).show({ model: id })).capabilities.length > 0, id);
    }
  });
});
