// What several APIs spell alike, and the smaller things that several SDKs can do.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { model, providers, said } from './stand.js';

/** dataURL is a picture in the address that stands for it. */
export const dataURL = (image) => `data:image/png;base64,${image.toString('base64')}`;

/** functions are tools as OpenAI's chat completions have them. */
export const functions = (tools) =>
  tools?.map(({ name, description, schema }) => ({ type: 'function', function: { name, description, parameters: schema } }));

/** afterSystem puts the system's words before the messages that message makes of each turn. */
export const afterSystem = (ask, message) => [...(ask.system ? [{ role: 'system', content: ask.system }] : []), ...ask.turns.flatMap(message)];

/** counts tests an SDK that counts the tokens of a text. */
export function counts(name, count) {
  describe(`${name}, token counts`, () => {
    for (const provider of providers) {
      test(`${provider.format} provider`, async () => {
        await provider.says(said('never said'));
        const n = await count(provider.only, 'One two three four five six seven');
        assert.ok(n >= 4 && n <= 60, `${n} tokens for seven words`);
      });
    }
  });
}

/**
 * embeddings tests an SDK that asks for vectors. Who makes none is stood in for by
 * others that have the same model. length is what embed asks for, if it does.
 */
export function embeddings(name, embed, length) {
  describe(`${name}, embeddings`, () => {
    for (const provider of providers) {
      test(`${provider.format} provider`, async () => {
        const vectors = await embed(`${provider.name}:${model}`, ['the cat sat', 'quarterly revenue']);
        assert.equal(vectors.length, 2);
        for (const v of vectors) {
          assert.equal(v.length, length ?? v.length);
          assert.ok(Math.abs(v.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-4, 'a vector of length 1');
        }
      });
    }
  });
}
