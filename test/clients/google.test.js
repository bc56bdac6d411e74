// Google's SDK: the Gemini API.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ApiError, GoogleGenAI } from '@google/genai';

import { counts, embeddings } from './alike.js';
import { answer, clientKey, model, providers, said, text, thinking, url } from './stand.js';
import { suite } from './suite.js';

const connect = (headers) => new GoogleGenAI({ apiKey: clientKey, httpOptions: { baseUrl: url, headers } });

suite({
  name: '@google/genai, generateContent',
  client: connect,
  async send(client, ask, { stream, signal, each }) {
    const params = {
      model: ask.model,
      contents: ask.turns.map(content),
      config: {
        abortSignal: signal,
        systemInstruction: ask.system,
        tools: ask.tools && [
          { functionDeclarations: ask.tools.map(({ name, description, schema }) => ({ name, description, parametersJsonSchema: schema })) },
        ],
        responseMimeType: ask.schema && 'application/json',
        responseJsonSchema: ask.schema,
        thinkingConfig: ask.think ? { includeThoughts: true, thinkingBudget: 2048 } : undefined,
        maxOutputTokens: ask.max,
        stopSequences: ask.stop,
        temperature: ask.temperature,
      },
    };
    if (!stream) return read([await client.models.generateContent(params)]);
    const chunks = [];
    for await (const chunk of await client.models.generateContentStream(params)) {
      chunks.push(chunk);
      each();
    }
    return { ...read(chunks), pieces: chunks.length };
  },
  errors: {
    invalid: [ApiError, 400],
    auth: [ApiError, 401],
    notFound: [ApiError, 404],
    rateLimited: [ApiError, 429],
    server: [ApiError, 500],
  },
  told: (e) => ({ status: e.status, message: e.message }),
  finish: { stop: 'STOP', length: 'MAX_TOKENS', calls: 'STOP' },
});

function content(turn) {
  if (turn.answer) return turn.answer.own;
  if (turn.results) {
    return { role: 'user', parts: turn.results.map((r) => ({ functionResponse: { id: r.id, name: r.name, response: { output: r.text } } })) };
  }
  const inlineData = turn.image && { mimeType: 'image/png', data: turn.image.toString('base64') };
  return { role: 'user', parts: [{ text: turn.text }, ...(inlineData ? [{ inlineData }] : [])] };
}

function read(chunks) {
  const parts = chunks.flatMap((c) => c.candidates?.[0]?.content?.parts ?? []);
  const last = chunks.at(-1);
  return {
    text: parts.filter((p) => p.text && !p.thought).map((p) => p.text).join(''),
    thinking: parts.filter((p) => p.thought).map((p) => p.text).join(''),
    calls: parts.filter((p) => p.functionCall).map(({ functionCall: c }) => ({ id: c.id, name: c.name, args: c.args })),
    finish: last.candidates?.[0]?.finishReason,
    model: last.modelVersion,
    usage: {
      input: last.usageMetadata?.promptTokenCount,
      output: last.usageMetadata?.candidatesTokenCount + (last.usageMetadata?.thoughtsTokenCount ?? 0),
    },
    own: { role: 'model', parts },
  };
}

describe('@google/genai, chats', () => {
  for (const provider of providers) {
    test(`${provider.format} provider`, async () => {
      const chat = connect({}).chats.create({ model: `${provider.name}:${model}` });
      await provider.says(answer(thinking('Hm. '), text('The first answer.')));
      assert.equal((await chat.sendMessage({ message: 'Hello' })).text, 'The first answer.');
      await provider.says(said('The second answer.'));
      assert.equal((await chat.sendMessage({ message: 'Go on' })).text, 'The second answer.');
      assert.deepEqual((await provider.asked()).messages.map((m) => m.role), ['user', 'assistant', 'user']);
    });
  }
});

counts('@google/genai', async (model, contents) => (await connect({}).models.countTokens({ model, contents })).totalTokens);

embeddings('@google/genai', async (model, contents) => {
  const r = await connect({}).models.embedContent({ model, contents, config: { outputDimensionality: 64 } });
  return r.embeddings.map((e) => e.values);
}, 64);
