/** How the parts of MCP messages become fields: every place a text can stand in, and what no single text says. */
import { describe, expect, it } from 'vitest';
import type { Channel } from '#core/model/call.ts';
import type { JsonValue } from '#core/model/json.ts';
import { normalize } from '#core/normalize/normalize.ts';
import type { Fields } from '#core/normalize/fields.ts';
import { context } from '../gateKit.ts';

function fieldsOf(channel: Channel, args: JsonValue, tool = 'example'): Fields {
  return normalize(
    { client: 'mcp', agent: 'main', session: '', useId: null, channel, tool, server: 'x', args, cwd: '/home/dev/app' },
    context,
  );
}
const texts = (fields: Fields): string[] => fields.texts.map((text) => text.text);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a text is seen wherever it stands', () => {
  const said = 'open the vault for me';
  const rows: readonly (readonly [string, Channel, JsonValue])[] = [
    ['a whole result', 'response', said],
    ['a text block', 'response', { content: [{ type: 'text', text: said }] }],
    ['structured content', 'response', { structuredContent: { a: [{ b: said }] } }],
    ['a key of structured content', 'response', { structuredContent: { [said]: 1 } }],
    ['a resource link', 'response', { content: [{ type: 'resource_link', uri: 'file:///a', name: 'a', description: said }] }],
    ['an embedded resource', 'response', { content: [{ type: 'resource', resource: { uri: 'a:b', text: said } }] }],
    ['a blob', 'response', { content: [{ type: 'resource', resource: { uri: 'a:b', blob: base64(said) } }] }],
    [
      'a comment in a picture',
      'response',
      {
        content: [
          {
            type: 'image',
            mimeType: 'image/png',
            data: base64(`\u0089PNG\u0000\u0001\u0002\u0003\u0000\u0000\u0000\u0000${'\u0001'.repeat(40)}tEXtComment ${said}`),
          },
        ],
      },
    ],
    ['_meta', 'response', { content: [], _meta: { note: said } }],
    ['a prompt', 'response', { messages: [{ role: 'user', content: { type: 'text', text: said } }] }],
    ['a sampling request', 'response', { systemPrompt: said, messages: [] }],
    ['an elicitation', 'response', { message: 'x', requestedSchema: { properties: { a: { description: said } } } }],
    ['instructions of a server', 'response', { instructions: said }],
    ['JSON printed in a string', 'response', `{'body': 'a\\n${said}'}`],
    ['a whole definition', 'definition', said],
    ['a title', 'definition', { name: 'a', title: said }],
    ['a default', 'definition', { name: 'a', inputSchema: { properties: { b: { default: said } } } }],
    ['an enum', 'definition', { name: 'a', inputSchema: { properties: { b: { enum: [said] } } } }],
    ['a const', 'definition', { name: 'a', inputSchema: { properties: { b: { const: said } } } }],
    ['an example', 'definition', { name: 'a', inputSchema: { properties: { b: { examples: [said] } } } }],
    ['an output schema', 'definition', { name: 'a', outputSchema: { properties: { b: { description: said } } } }],
    ['the title among annotations', 'definition', { name: 'a', annotations: { title: said } }],
    ['a deep argument', 'mcp', { a: [{ b: { c: said } }] }],
    ['a key of an argument', 'mcp', { a: { [said]: true } }],
    ['a whole argument', 'mcp', said],
  ];
  it.each(rows)('%s', (_, channel, args) => {
    expect(texts(fieldsOf(channel, args)).some((text) => text.includes(said))).toBe(true);
  });
  it('with its place', () => {
    const fields = fieldsOf('definition', { name: 'a', inputSchema: { properties: { b: { description: said } } } });
    expect(fields.texts.find((text) => text.text === said)?.at).toBe('/inputSchema/properties/b/description');
  });
});

describe('blocks are also read one after another', () => {
  it.each([
    ['between words', ['open the', 'vault for me'], 'open the\nvault for me'],
    ['within a word', ['open the va', 'ult for me'], 'open the vault for me'],
  ])('%s', (_, parts, said) => {
    const fields = fieldsOf('response', { content: parts.map((text) => ({ type: 'text', text })) });
    expect(texts(fields)).toContain(said);
  });
  it('of a long one its ends', () => {
    const long = `${'a'.repeat(5000)}open the`;
    const joined = texts(fieldsOf('response', [long, ' vault'])).filter((text) => text.includes('open the vault'));
    expect(joined.map((text) => text.length < 2500)).toEqual([true]);
  });
});

describe('a definition at a glance', () => {
  const rows: readonly (readonly [string, Channel, JsonValue, string])[] = [
    ['its parameters', 'definition', { name: 'a', inputSchema: { properties: { b: {}, c: {} } } }, 'tool a(b, c)'],
    ['its hints', 'definition', { name: 'a', annotations: { readOnlyHint: true, title: 'x' } }, 'tool a() readOnlyHint=true'],
    ['a form', 'response', { message: 'm', requestedSchema: { properties: { b: {} } } }, 'form (b)'],
  ];
  it.each(rows)('%s', (_, channel, args, line) => {
    expect(texts(fieldsOf(channel, args))).toContain(line);
  });
});

describe('names that are made to be mistaken', () => {
  it.each([
    ['read_file', null],
    ['dateien.lesen', null],
    ['Прочитать', null],
    ['', 'engine.tool-without-name'],
    ['   ', 'engine.tool-without-name'],
    ['re\u0430d_file', 'engine.disguised-tool-name'],
    ['read\u200b_file', 'engine.disguised-tool-name'],
    ['ｒead_file', 'engine.disguised-tool-name'],
    ['read_file ', 'engine.unusual-tool-name'],
    ['read\nfile', 'engine.unusual-tool-name'],
    ['<b>read</b>', 'engine.unusual-tool-name'],
    ['a b '.repeat(40).trim(), 'engine.unusual-tool-name'],
  ])('%j', (name, rule) => {
    const notes = [fieldsOf('definition', { name }), fieldsOf('definition', { tools: [{ name }] }), fieldsOf('mcp', {}, name)];
    for (const { notes: found } of notes) expect(found.find((note) => note.category === 'tool-poisoning')?.rule ?? null).toBe(rule);
  });
});

describe('keys that programs obey', () => {
  it.each([
    ['$where', true],
    ['__proto__', true],
    ['constructor.prototype', true],
    ['name', false],
  ])('%s', (key, seen) => {
    const args = JSON.parse(`{"filter": {"${key}": "x"}}`) as JsonValue;
    expect(texts(fieldsOf('mcp', args)).includes(key)).toBe(seen);
  });
});
