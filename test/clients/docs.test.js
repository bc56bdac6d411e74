// The snippets of docs/clients.md run as they stand there, but for the address.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { providers, said, url } from './stand.js';

const docs = await readFile(new URL('../../docs/clients.md', import.meta.url), 'utf8');
const snippets = [...docs.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);

before(() => Promise.all(providers.map((p) => p.says(said('It works.')))));
after(() => Promise.all(providers.map((p) => p.says())));

test('there are snippets', () => assert.ok(snippets.length >= 5));

for (const code of snippets) {
  test(code.split('\n')[0], { timeout: 60_000 }, async () => {
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code.replaceAll('http://127.0.0.1:8084', url)]);
    assert.match((await run).stdout, /It works\./);
  });
}
