import { describe, expect, it } from 'vitest';
import { openTextBound, recordPath, valuesAt } from './record-path.ts';
import { termKey } from './term-hash.ts';
import { openValueNumbers } from './value-numbers.ts';

const at = (record: unknown, name: string) => [...valuesAt(record, recordPath(name)?.path ?? [])];

describe('recordPath', () => {
  it('knows what may stand at the top of a record, so that a slip of the pen is no answer of nothing', () => {
    expect(recordPath('requestParameters.bucketName')).toEqual({ path: ['requestParameters', 'bucketName'] });
    expect(recordPath('userAgent')).toEqual({ path: ['userAgent'] });
    for (const name of ['useragent', 'requestParameters.', '.userAgent', 'constructor', '']) {
      expect(recordPath(name), name).toBeUndefined();
    }
  });
});

describe('valuesAt', () => {
  it('gives texts as they are, other values as JSON, null and what is not there not at all', () => {
    const record = {
      requestParameters: { name: 'a "b"', size: 7, dry: false, none: null, filter: { x: [1] } },
    };
    expect(at(record, 'requestParameters.name')).toEqual(['a "b"']);
    expect(at(record, 'requestParameters.size')).toEqual(['7']);
    expect(at(record, 'requestParameters.dry')).toEqual(['false']);
    expect(at(record, 'requestParameters.filter')).toEqual(['{"x":[1]}']);
    for (const name of ['none', 'absent', 'name.length', 'filter.y', 'toString']) {
      expect(at(record, `requestParameters.${name}`), name).toEqual([]);
    }
  });

  it('goes through lists, on the way and at the end, and gives each value once', () => {
    const record = {
      resources: [{ ARN: 'a' }, { ARN: 'b', tags: ['x', 'y'] }, { ARN: 'a', tags: ['y', ['z']] }],
    };
    expect(at(record, 'resources.ARN')).toEqual(['a', 'b']);
    expect(at(record, 'resources.tags')).toEqual(['x', 'y', '["z"]']);
  });

  it('does not fail on what is nested more deeply than can be written', () => {
    const deep = JSON.parse(`{"requestParameters":${'[['.repeat(50_000)}${']]'.repeat(50_000)}}`) as unknown;
    expect(at(deep, 'requestParameters')).toEqual(['(nested too deeply)']);
  });
});

describe('openTextBound', () => {
  it('counts a text once, however many sources have it', () => {
    const numbers = openValueNumbers(termKey('AAAAAAAAAAA='), openTextBound());
    const text = 'x'.repeat(2 ** 20);
    for (let turn = 0; turn < 200; turn++) expect(numbers.ofText(text)).toBe(1);
    expect(() => {
      for (let turn = 0; turn < 65; turn++) numbers.ofText(`${text}${turn}`);
    }).toThrow(expect.objectContaining({ code: 'LimitExceededException' }));
  });

  it('refuses more text than a count keeps, by name', () => {
    const bound = openTextBound();
    const text = 'x'.repeat(2 ** 20);
    expect(() => {
      for (let turn = 0; turn < 65; turn++) bound(text);
    }).toThrow(expect.objectContaining({ code: 'LimitExceededException' }));
  });
});
