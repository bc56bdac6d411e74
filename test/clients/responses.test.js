// OpenAI's SDK: the Responses API.
import OpenAI from 'openai';

import { afterSystem, dataURL } from './alike.js';
import { clientKey, url } from './stand.js';
import { suite } from './suite.js';

suite({
  name: 'openai, responses',
  client: (headers) => new OpenAI({ baseURL: `${url}/v1`, apiKey: clientKey, maxRetries: 0, defaultHeaders: headers }),
  async send(client, ask, { stream, signal, each }) {
    const params = {
      model: ask.model,
      store: false,
      input: afterSystem(ask, items),
      tools: ask.tools?.map(({ name, description, schema }) => ({ type: 'function', name, description, parameters: schema, strict: false })),
      text: ask.schema && { format: { type: 'json_schema', name: 'answer', schema: ask.schema, strict: true } },
      reasoning: ask.think ? { effort: 'medium', summary: 'auto' } : undefined,
      max_output_tokens: ask.max,
      temperature: ask.temperature,
    };
    if (!stream) return read(await client.responses.create(params, { signal }));
    // The SDK's own accumulator: it wants every item and part opened before its deltas.
    const s = client.responses.stream(params, { signal });
    let pieces = 0;
    for await (const event of s) {
      if (event.type === 'error' || event.type === 'response.failed') {
        const told = event.type === 'error' ? event : event.response.error;
        throw new OpenAI.APIError(undefined, told, told.message, undefined);
      }
      if (event.type !== 'response.output_text.delta') continue;
      pieces++;
      each();
    }
    return { ...read(await s.finalResponse()), pieces };
  },
  errors: {
    invalid: [OpenAI.BadRequestError, 400],
    auth: [OpenAI.AuthenticationError, 401],
    notFound: [OpenAI.NotFoundError, 404],
    rateLimited: [OpenAI.RateLimitError, 429],
    server: [OpenAI.InternalServerError, 503],
  },
  told: (e) => ({ status: e.status, message: e.message }),
  finish: { stop: 'completed', length: 'max_output_tokens', calls: 'completed' },
  lacks: ['stop'],
});

function items(turn) {
  if (turn.answer) return turn.answer.own;
  if (turn.results) return turn.results.map((r) => ({ type: 'function_call_output', call_id: r.id, output: r.text }));
  if (!turn.image) return [{ role: 'user', content: turn.text }];
  return [{ role: 'user', content: [{ type: 'input_text', text: turn.text }, { type: 'input_image', image_url: dataURL(turn.image), detail: 'auto' }] }];
}

function read(r) {
  const of = (type) => r.output.filter((item) => item.type === type);
  return {
    text: r.output_text,
    thinking: of('reasoning').flatMap((item) => item.summary).map((s) => s.text).join(''),
    calls: of('function_call').map((c) => ({ id: c.call_id, name: c.name, args: JSON.parse(c.arguments) })),
    finish: r.incomplete_details?.reason ?? r.status,
    model: r.model,
    usage: { input: r.usage.input_tokens, output: r.usage.output_tokens },
    own: r.output,
  };
}
