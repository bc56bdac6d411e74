// OpenAI's SDK: chat completions, embeddings, models.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import OpenAI from 'openai';

import { afterSystem, dataURL, embeddings, functions } from './alike.js';
import { clientKey, model, providers, said, url } from './stand.js';
import { suite } from './suite.js';

const connect = (headers) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: clientKey, maxRetries: 0, defaultHeaders: headers });

suite({
  name: 'openai, chat completions',
  client: connect,
  async send(client, ask, { stream, signal, each }) {
    const params = {
      model: ask.model,
      messages: afterSystem(ask, messages),
      tools: functions(ask.tools),
      response_format: ask.schema && { type: 'json_schema', json_schema: { name: 'answer', schema: ask.schema, strict: true } },
      reasoning_effort: ask.think ? 'medium' : undefined,
      max_completion_tokens: ask.max,
      stop: ask.stop,
      temperature: ask.temperature,
    };
    if (!stream) return read(await client.chat.completions.create(params, { signal }));
    // The SDK's own accumulator, which is strict about the chunks.
    const s = client.chat.completions.stream({ ...params, stream_options: { include_usage: true } }, { signal });
    let pieces = 0;
    let thoughts = '';
    for await (const chunk of s) {
      pieces++;
      thoughts += chunk.choices[0]?.delta.reasoning_content ?? '';
      each();
    }
    return { ...read(await s.finalChatCompletion()), thinking: thoughts, pieces };
  },
  errors: {
    invalid: [OpenAI.BadRequestError, 400],
    auth: [OpenAI.AuthenticationError, 401],
    notFound: [OpenAI.NotFoundError, 404],
    rateLimited: [OpenAI.RateLimitError, 429],
    server: [OpenAI.InternalServerError, 503],
  },
  told: (e) => ({ status: e.status, message: e.message }),
  finish: { stop: 'stop', length: 'length', calls: 'tool_calls' },
});

function messages(turn) {
  if (turn.answer) return [turn.answer.own];
  if (turn.results) return turn.results.map((r) => ({ role: 'tool', tool_call_id: r.id, content: r.text }));
  if (!turn.image) return [{ role: 'user', content: turn.text }];
  return [{ role: 'user', content: [{ type: 'text', text: turn.text }, { type: 'image_url', image_url: { url: dataURL(turn.image) } }] }];
}

function read(completion) {
  const { message, finish_reason: finish } = completion.choices[0];
  return {
    text: message.content ?? '',
    thinking: message.reasoning_content ?? '',
    calls: (message.tool_calls ?? []).map((c) => ({ id: c.id, name: c.function.name, args: JSON.parse(c.function.arguments) })),
    finish,
    model: completion.model,
    usage: { input: completion.usage.prompt_tokens, output: completion.usage.completion_tokens },
    own: message,
  };
}

describe('openai, structured output by its helper', () => {
  for (const provider of providers) {
    test(`${provider.format} provider`, async () => {
      await provider.says(said('{"city":"Uruk"}'));
      const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
      const { choices } = await connect({}).chat.completions.parse({
        model: provider.only,
        messages: [{ role: 'user', content: 'Which city?' }],
        response_format: { type: 'json_schema', json_schema: { name: 'city', schema, strict: true } },
      });
      assert.equal(choices[0].message.content, '{"city":"Uruk"}');
    });
  }
});

for (const encoding_format of [undefined, 'float', 'base64']) {
  const embed = async (model, input) => {
    const { data } = await connect({}).embeddings.create({ model, input, dimensions: 64, encoding_format });
    assert.deepEqual(data.map((e) => e.index), [0, 1]);
    return data.map(({ embedding: e }) => (typeof e === 'string' ? new Float32Array(Uint8Array.from(Buffer.from(e, 'base64')).buffer) : e));
  };
  embeddings(`openai, ${encoding_format ?? 'as the SDK asks for them'}`, embed, 64);
}

test('openai, models', async () => {
  const ids = [];
  for await (const m of connect({}).models.list()) ids.push(m.id);
  for (const provider of providers) assert.ok(ids.includes(`${provider.name}:${model}`), provider.name);
});
