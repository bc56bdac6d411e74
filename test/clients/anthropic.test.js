// Anthropic's SDK: messages, token counts.
import Anthropic from '@anthropic-ai/sdk';

import { counts } from './alike.js';
import { clientKey, url } from './stand.js';
import { suite } from './suite.js';

const connect = (headers) => new Anthropic({ baseURL: url, apiKey: clientKey, maxRetries: 0, defaultHeaders: headers });

suite({
  name: '@anthropic-ai/sdk, messages',
  client: connect,
  async send(client, ask, { stream, signal, each }) {
    const params = {
      model: ask.model,
      max_tokens: ask.max ?? 4096,
      system: ask.system,
      messages: ask.turns.map(message),
      tools: ask.tools?.map(({ name, description, schema }) => ({ name, description, input_schema: schema })),
      thinking: ask.think ? { type: 'enabled', budget_tokens: 2048 } : undefined,
      output_config: ask.schema && { format: { type: 'json_schema', schema: ask.schema } },
      stop_sequences: ask.stop,
      temperature: ask.temperature,
    };
    if (!stream) return read(await client.messages.create(params, { signal }));
    const s = client.messages.stream(params, { signal });
    let pieces = 0;
    for await (const _ of s) {
      pieces++;
      each();
    }
    return { ...read(await s.finalMessage()), pieces };
  },
  errors: {
    invalid: [Anthropic.BadRequestError, 400],
    auth: [Anthropic.AuthenticationError, 401],
    notFound: [Anthropic.NotFoundError, 404],
    rateLimited: [Anthropic.RateLimitError, 429],
    server: [Anthropic.InternalServerError, 500],
  },
  told: (e) => ({ status: e.status, message: e.message }),
  finish: { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use' },
});

function message(turn) {
  if (turn.answer) return turn.answer.own;
  if (turn.results) {
    return { role: 'user', content: turn.results.map((r) => ({ type: 'tool_result', tool_use_id: r.id, content: r.text })) };
  }
  if (!turn.image) return { role: 'user', content: turn.text };
  const source = { type: 'base64', media_type: 'image/png', data: turn.image.toString('base64') };
  return { role: 'user', content: [{ type: 'text', text: turn.text }, { type: 'image', source }] };
}

function read(m) {
  const of = (type) => m.content.filter((b) => b.type === type);
  return {
    text: of('text').map((b) => b.text).join(''),
    thinking: of('thinking').map((b) => b.thinking).join(''),
    calls: of('tool_use').map((b) => ({ id: b.id, name: b.name, args: b.input })),
    finish: m.stop_reason,
    model: m.model,
    usage: { input: m.usage.input_tokens, output: m.usage.output_tokens },
    own: { role: m.role, content: m.content },
  };
}

counts('@anthropic-ai/sdk', async (model, content) => {
  const { input_tokens: n } = await connect({}).messages.countTokens({ model, messages: [{ role: 'user', content }] });
  return n;
});
