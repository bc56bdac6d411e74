// What a user of any SDK may expect of the gateway, whoever answers behind it.
// Each case asks every provider, for a whole answer and for a stream.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import * as stand from './stand.js';
import { answer, calling, exchanges, parts, png, providers, reserve, said, text, thinking, words } from './stand.js';

/**
 * suite runs every case with one SDK. sdk has:
 *
 *   name             of the SDK and the API that it asks
 *   client(headers)  makes a client whose requests carry these headers
 *   send(client, ask, {stream, signal, each})
 *                    asks. each is called for every piece of a stream; the result is
 *                    {text, thinking, calls: [{id, name, args}], finish, model, usage: {input, output}, pieces, own}
 *   errors           class and status of the SDK's errors: {invalid, auth, notFound, rateLimited, server: [class, status]}
 *   told(error)      {status, message} of an error
 *   finish           its words for {stop, length, calls}
 *   lacks            cases and parameters for which its API has no words
 *
 * ask is {model, system, turns, tools, schema, think, max, stop, temperature}; a turn
 * is {text, image}, {answer: what send gave} or {results: [{id, name, text}]}.
 */
export function suite(sdk) {
  const client = sdk.client({});
  const lacks = new Set(sdk.lacks ?? []);
  for (const provider of providers) {
    describe(`${sdk.name}, ${provider.format} provider`, () => {
      after(() => provider.says()); // no fault is left behind
      for (const [name, c] of Object.entries(cases)) {
        for (const stream of c.modes ?? [false, true]) {
          test(`${name}, ${stream ? 'stream' : 'whole'}`, { skip: lacks.has(name) && 'its API has no words for it', timeout: 30_000 }, () =>
            c.run({ sdk, client, lacks, provider, stream, send: (ask, more) => sdk.send(client, ask, { stream, each() {}, ...more }) }),
          );
        }
      }
    });
  }
}

const hello = (model) => ({ model, turns: [{ text: 'Hello' }] });

const weather = {
  name: 'get_weather',
  description: 'Weather of a city',
  schema: {
    type: 'object',
    properties: { city: { type: 'string', description: 'Its name' }, days: { type: 'integer' } },
    required: ['city'],
  },
};
const clock = {
  name: 'get_time',
  description: 'Time in a city',
  schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

const cases = {
  'a plain answer': {
    async run({ sdk, provider, stream, send }) {
      const words = 'Здравствуй, мир! "Quotes", a \\ and\na new line. 🦜';
      await provider.says(said(words));
      const got = await send(hello(provider.only));
      assert.equal(got.text, words);
      assert.equal(got.finish, sdk.finish.stop);
      assert.deepEqual(got.usage, { input: 11, output: 7 });
      if (got.model !== undefined) assert.equal(got.model, stand.model);
      if (stream) assert.ok(got.pieces >= 2, `the stream came in ${got.pieces} pieces`);
    },
  },

  'an answer at its limit': {
    async run({ sdk, provider, send }) {
      await provider.says({ ...said('Half an ans'), finish: { reason: 'length' } });
      const got = await send(hello(provider.only));
      assert.equal(got.text, 'Half an ans');
      assert.equal(got.finish, sdk.finish.length);
    },
  },

  'what is asked arrives, with the key of the gateway': {
    async run({ lacks, provider, stream, send }) {
      await provider.says(said('Done.'));
      const ask = { ...hello(provider.only), system: 'Be brief.', max: 77, stop: ['END', 'STOP'], temperature: 0.25 };
      await send(ask);
      const asked = await provider.asked();
      assert.equal(asked.model, stand.model);
      assert.equal(asked.stream ?? false, stream);
      assert.equal(asked.max_tokens, 77);
      assert.equal(asked.temperature, 0.25);
      if (!provider.lacks('stop') && !lacks.has('stop')) assert.deepEqual(asked.stop, ['END', 'STOP']);
      assert.deepEqual(asked.messages.map((m) => `${m.role}: ${words(m)}`), ['system: Be brief.', 'user: Hello']);
      const { header, path } = await provider.seen();
      const sent = JSON.stringify([header, path]);
      assert.ok(!sent.includes(stand.clientKey), 'the client\'s key went to the provider');
      if (provider.format !== 'ollama') assert.ok(sent.includes(stand.providerKey), 'the provider did not get its key');
    },
  },

  'a conversation goes on': {
    async run({ provider, send }) {
      await provider.says(said('The first answer.'));
      const ask = hello(provider.only);
      const first = await send(ask);
      await provider.says(said('The second answer.'));
      await send({ ...ask, turns: [...ask.turns, { answer: first }, { text: 'Go on' }] });
      const { messages } = await provider.asked();
      assert.deepEqual(
        messages.map((m) => `${m.role}: ${words(m)}`),
        ['user: Hello', 'assistant: The first answer.', 'user: Go on'],
      );
    },
  },

  'a tool is called and answered': {
    async run({ sdk, provider, send }) {
      const args = { city: 'Нью-Йорк "NY"', days: 3 };
      await provider.says(answer(text('Let me see.'), calling('call_1', 'get_weather', args)));
      const ask = { ...hello(provider.only), tools: [weather, clock] };
      const first = await send(ask);
      assert.equal(first.text, 'Let me see.');
      assert.deepEqual(first.calls.map(({ name, args }) => ({ name, args })), [{ name: 'get_weather', args }]);
      assert.equal(first.finish, sdk.finish.calls);
      const { tools } = await provider.asked();
      assert.deepEqual(
        tools.map(({ name, description, schema, parameters }) => ({ name, description, schema: schema ?? parameters })),
        [weather, clock],
      );

      await provider.says(said('Snow.'));
      const results = [{ id: first.calls[0].id, name: 'get_weather', text: '-5 °C, snow' }];
      const second = await send({ ...ask, turns: [...ask.turns, { answer: first }, { results }] });
      assert.equal(second.text, 'Snow.');
      assert.equal(second.finish, sdk.finish.stop);
      const [exchange, ...more] = exchanges(await provider.asked());
      assert.deepEqual(more, []);
      assert.equal(exchange.name, 'get_weather');
      assert.deepEqual(exchange.args, args);
      assert.ok(exchange.result.includes('-5 °C, snow'), exchange.result);
    },
  },

  'two calls of one tool stay apart': {
    async run({ provider, send }) {
      await provider.says(answer(calling('call_1', 'get_time', { city: 'Ur' }), calling('call_2', 'get_time', { city: 'Uruk' })));
      const ask = { ...hello(provider.only), tools: [clock] };
      const first = await send(ask);
      assert.deepEqual(first.calls.map((c) => c.args.city), ['Ur', 'Uruk']);
      await provider.says(said('Both.'));
      const results = first.calls.map((c) => ({ id: c.id, name: c.name, text: `noon in ${c.args.city}` }));
      await send({ ...ask, turns: [...ask.turns, { answer: first }, { results }] });
      const seen = exchanges(await provider.asked());
      assert.deepEqual(seen.map((x) => x.args.city), ['Ur', 'Uruk']);
      for (const x of seen) assert.ok(x.result.includes(`noon in ${x.args.city}`), x.result);
    },
  },

  'a picture arrives as it was sent': {
    async run({ provider, send }) {
      await provider.says(said('A grey square.'));
      await send({ model: provider.only, turns: [{ text: 'What is this?', image: png }] });
      const { messages } = await provider.asked();
      const media = parts(messages.at(-1)).filter((p) => p.kind === 'media');
      assert.equal(media.length, 1);
      assert.equal(media[0].media.data, png.toString('base64'));
      assert.match(media[0].media.type, /^image\//);
      assert.equal(words(messages.at(-1)), 'What is this?');
    },
  },

  'thoughts come apart from the answer': {
    async run({ provider, send }) {
      await provider.says(answer(thinking('Seven times six. '), text('42')));
      const got = await send({ ...hello(provider.only), think: true });
      assert.equal(got.thinking, 'Seven times six. ');
      assert.equal(got.text, '42');
      if (provider.lacks('thinking')) return;
      const { reasoning } = await provider.asked();
      assert.ok(reasoning?.effort || reasoning?.budget, 'the provider was not asked to think');
    },
  },

  'an answer in the shape of a schema': {
    async run({ provider, send }) {
      const schema = {
        type: 'object',
        properties: { city: { type: 'string' }, people: { type: 'integer' } },
        required: ['city', 'people'],
        additionalProperties: false,
      };
      await provider.says(said('{"city":"Uruk","people":50000}'));
      const got = await send({ ...hello(provider.only), schema });
      assert.deepEqual(JSON.parse(got.text), { city: 'Uruk', people: 50000 });
      const { format } = await provider.asked();
      assert.equal(format?.kind ?? format?.type, 'json_schema');
      assert.deepEqual(format.schema, schema);
    },
  },

  'the first words come before the last are said': {
    modes: [true],
    async run({ provider, send }) {
      const long = 'word '.repeat(20).trim();
      await provider.says(said(long));
      await provider.holds();
      let freed;
      const got = await send(hello(provider.only), { each: () => (freed ??= provider.releases()) });
      await freed;
      assert.equal(got.text, long);
    },
  },

  'the provider is told when the client leaves': {
    modes: [true],
    async run({ sdk, client, provider }) {
      await provider.says(said('word '.repeat(20)));
      await provider.holds();
      const leave = new AbortController();
      const left = sdk.send(client, hello(provider.only), { stream: true, signal: leave.signal, each: () => leave.abort() });
      const ended = left.then(() => 'ended', (e) => e.name || 'an error');
      await provider.gone();
      await ended; // an error in some SDKs, an end in others; never a hang
    },
  },

  'the client leaves before the answer': {
    modes: [false],
    async run({ sdk, client, provider }) {
      await provider.says(said('never heard'));
      await provider.holds({ from: 0 });
      const leave = new AbortController();
      const left = assert.rejects(sdk.send(client, hello(provider.only), { stream: false, signal: leave.signal }));
      await provider.held();
      leave.abort();
      await left;
      await provider.gone();
    },
  },

  'another answers for one that fails': {
    async run({ provider, send }) {
      await provider.fails({ kind: 'server_error' });
      await reserve.says(said('The reserve answers.'));
      const got = await send(hello(provider.orReserve));
      assert.equal(got.text, 'The reserve answers.');
    },
  },

  'a stream that breaks off is an error': {
    modes: [true],
    async run({ provider, send }) {
      await provider.says(said('a word and another '.repeat(20)));
      await provider.fault({ kind: 'cut', after: 8 });
      let pieces = 0;
      await assert.rejects(send(hello(provider.only), { each: () => pieces++ }), (e) => e.message !== '');
      assert.ok(pieces > 0, 'nothing came before the break');
    },
  },

  'a bad request': {
    async run({ sdk, provider, send }) {
      await provider.refuses({ kind: 'invalid', message: 'temperature is too high' });
      await fails(sdk, 'invalid', send(hello(provider.only)), /temperature is too high/);
    },
  },

  'a client without a key from elsewhere': {
    async run({ sdk, provider, stream }) {
      await provider.says(said('never said'));
      const far = sdk.client({ 'X-Forwarded-For': '203.0.113.7' });
      await fails(sdk, 'auth', sdk.send(far, hello(provider.only), { stream, each() {} }), /key/);
    },
  },

  'an unknown model': {
    async run({ sdk, provider, send }) {
      await provider.says(said('never said'));
      await fails(sdk, 'notFound', send(hello(`${provider.name}:no-such-model`)), /no-such-model/);
    },
  },

  'too many requests': {
    async run({ sdk, provider, send }) {
      await provider.fails({ kind: 'rate_limit', retry_after: 7 });
      await fails(sdk, 'rateLimited', send(hello(provider.only)), /./);
    },
  },

  'a broken provider': {
    async run({ sdk, provider, send }) {
      await provider.fails({ kind: 'server_error' });
      await fails(sdk, 'server', send(hello(provider.only)), /./);
    },
  },
};

/** fails awaits an error of the SDK's own class, with its status. */
async function fails(sdk, kind, asking, message) {
  const [type, status] = sdk.errors[kind];
  await assert.rejects(asking, (e) => {
    assert.ok(e instanceof type, `${e.constructor.name} in place of ${type.name}: ${e.stack}`);
    const told = sdk.told(e);
    assert.equal(told.status, status, told.message);
    assert.match(told.message, message);
    return true;
  });
}
