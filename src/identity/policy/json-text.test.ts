import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readJson, type JsonNode } from './json-text.ts';

function valueOf(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries([...node.members].map(([name, member]) => [name, valueOf(member)]));
    case 'array':
      return node.items.map(valueOf);
    case 'string':
      return node.text;
    case 'number':
      return Number(node.text);
    case 'boolean':
      return node.text === 'true';
    case 'null':
      return null;
  }
}

test('reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom(undefined, 1, '\t'), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), undefined, indent);
      const read = readJson(text);
      expect(read.kind === 'json' && valueOf(read.node)).toEqual(JSON.parse(text));
    }),
  );
});

test('takes and refuses what JSON.parse takes and refuses, but for a member twice', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '"',
    '\\',
    '\\u0041',
    '1',
    '-',
    '0',
    '.5',
    'e1',
    'true',
    'null',
    ' ',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const text = pieces.join('');
      const read = readJson(text);
      const isTaken = read.kind === 'json' || read.reason.includes('twice');
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      // A member that stands there twice may hide what is wrong behind it.
      if (read.kind === 'json' || !read.reason.includes('twice')) expect(isTaken).toBe(isJson);
    }),
    { numRuns: 20_000 },
  );
});

test('an object knows where it stands', () => {
  const text = ' [ {"a":1} , {} ]';
  const read = readJson(text);
  const items = read.kind === 'json' && read.node.kind === 'array' ? read.node.items : [];
  expect(items.map(({ start, end }) => text.slice(start, end))).toEqual(['{"a":1}', '{}']);
});

test('says what is wrong and where', () => {
  expect(readJson('{"a":1,"a":2}')).toEqual({
    kind: 'broken',
    reason: 'the member "a" twice in one object at character 11',
  });
});
