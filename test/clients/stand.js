// The gateway under test and the simulated providers behind it, which Go's tests
// started (sdktest/node_test.go) and let us set.
import assert from 'node:assert/strict';

const control = process.env.ARATTA_CONTROL;

/** The gateway's address. */
export const url = process.env.ARATTA_URL;

if (!url || !control) {
  throw new Error('no gateway: run these tests by "make test", or "cd sdktest && go test -count=1 -v -run TestNode ."');
}

async function call(method, path, body) {
  const r = await fetch(control + path, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await r.text();
  assert.ok(r.ok, `${method} ${path}: ${r.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** A simulated provider: one for each dialect. */
export class Provider {
  constructor({ name, format, lacks }) {
    this.name = name;
    this.format = format;
    this.missing = lacks ?? [];
  }

  /** only names the chain of this provider alone. */
  get only() {
    return `only-${this.name}`;
  }

  /** orReserve names the chain in which somebody stands behind it. */
  get orReserve() {
    return `${this.name}-or-reserve`;
  }

  /** lacks tells whether its dialect has no words for something. */
  lacks(what) {
    return this.missing.includes(what);
  }

  /** says sets its answer until the next one is set. */
  says(answer) {
    return call('POST', `/${this.name}/answer`, answer);
  }

  /** refuses lets it answer with an error of package scri. */
  refuses(error) {
    return call('POST', `/${this.name}/refusal`, error);
  }

  /** fault switches a fault of the simulator on, until the next answer is set. */
  fault(fault) {
    return call('POST', `/${this.name}/fault`, fault);
  }

  /** fails lets it fail in place of an answer. */
  async fails(fault) {
    await this.says(said('never said'));
    await this.fault(fault);
  }

  /** holds stops its answers after their first words, or after so many writes. */
  holds(after) {
    return call('POST', `/${this.name}/hold`, after);
  }

  /** held waits until one of them is stopped. */
  held() {
    return call('GET', `/${this.name}/held`);
  }

  /** releases lets them go on. */
  releases() {
    return call('POST', `/${this.name}/release`);
  }

  /** gone waits until the gateway hung up on it. */
  gone() {
    return call('GET', `/${this.name}/gone`);
  }

  /** asked is the newest request as it understood it. */
  async asked() {
    const list = await call('GET', `/${this.name}/requests`);
    assert.ok(list.length > 0, `${this.name} was not asked`);
    return list.at(-1);
  }

  /** seen is the newest request as it came: path, header, body. */
  seen() {
    return call('GET', `/${this.name}/seen`);
  }
}

const described = await call('GET', '/');

/** The model that every provider has. */
export const model = described.model;
/** The gateway's own key at the providers. */
export const providerKey = described.key;
/** The key that clients send; no provider may ever see it. */
export const clientKey = 'key-of-the-client';
export const providers = described.providers.map((p) => new Provider(p));
export const reserve = new Provider({ name: described.reserve, format: 'openai' });

/** answer is an answer of these parts, ended as its kind ends. */
export function answer(...parts) {
  const calls = parts.some((p) => p.kind === 'tool_call');
  return {
    id: 'answer-1',
    model,
    role: 'assistant',
    parts,
    finish: { reason: calls ? 'tool_calls' : 'stop' },
    usage: { input_tokens: 11, output_tokens: 7 },
  };
}

/** said is an answer of one text. */
export function said(text) {
  return answer({ kind: 'text', text });
}

export const text = (s) => ({ kind: 'text', text: s });
export const thinking = (s) => ({ kind: 'thinking', text: s });
export const calling = (id, name, args) => ({ kind: 'tool_call', call: { id, name, args: JSON.stringify(args) } });

/** parts lists what a message of a request consists of. */
export function parts(message) {
  return typeof message.content === 'string' ? [text(message.content)] : (message.content ?? []);
}

/** words is the text of a message. */
export function words(message) {
  return parts(message).map((p) => p.text ?? '').join('');
}

/** exchanges pairs the calls of a request with their results, by their ids. */
export function exchanges(request) {
  const list = [];
  const at = new Map();
  for (const m of request.messages) {
    for (const p of parts(m)) {
      if (p.kind === 'tool_call') {
        at.set(p.call.id, list.length);
        list.push({ name: p.call.name, args: JSON.parse(p.call.args), result: undefined });
      } else if (p.kind === 'tool_result') {
        assert.ok(at.has(p.result.call_id), `a result for the call ${p.result.call_id}, which nobody made`);
        const r = p.result.content ?? p.result.parts ?? [];
        list[at.get(p.result.call_id)].result = typeof r === 'string' ? r : r.map((x) => x.text ?? '').join('');
      }
    }
  }
  return list;
}

/** A picture of one grey point. */
export const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB4iG8MwAAAABJRU5ErkJggg==',
  'base64',
);
