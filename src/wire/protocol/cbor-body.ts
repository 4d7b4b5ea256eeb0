import { cbor, tag } from '@smithy/core/cbor';
import { NumericValue } from '@smithy/core/serde';
import { assert } from '../../kernel/index.ts';
import type { Shape } from '../schema/index.ts';
import { parseCbor } from './cbor-parser.ts';
import { bytesOf, present, record } from './json-body.ts';
import { emptyRecord } from './text.ts';
import { readTree, serializationFault } from './tree-reader.ts';

/** Reads a CBOR body by its shape; an empty body reads as an empty structure. Throws SerializationException. */
export function readCborBody(shape: Shape, body: Uint8Array): unknown {
  if (body.length === 0) return {};
  const value = parseCbor(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw serializationFault('The body is not a CBOR map');
  }
  return readTree(shape, value, { jsonNames: false, binary: true });
}

/** Writes a value by its shape as CBOR. `extra` are further entries of the outermost map, such as an error's type. */
export function writeCbor(
  shape: Shape,
  value: unknown,
  extra: Readonly<Record<string, unknown>> = {},
): Uint8Array {
  return cbor.serialize({ ...extra, ...(plain(shape, value) as Record<string, unknown>) });
}

/** The tree that the encoder takes: timestamps tagged, blobs as bytes, absent members left out. */
function plain(shape: Shape, value: unknown): unknown {
  switch (shape.kind) {
    case 'unit':
      return {};
    case 'structure': {
      const given = record(value, shape.name);
      const result: Record<string, unknown> = {};
      for (const member of shape.members) {
        const entry = given[member.name];
        if (present(entry)) result[member.name] = plain(member.shape, entry);
      }
      return result;
    }
    case 'list':
      assert(Array.isArray(value), `${shape.name} is a list`);
      return value
        .filter((element) => shape.sparse || present(element))
        .map((element) => (present(element) ? plain(shape.element.shape, element) : null));
    case 'map': {
      const result = emptyRecord<unknown>();
      for (const [key, entry] of Object.entries(record(value, shape.name))) {
        if (present(entry)) result[key] = plain(shape.value.shape, entry);
        else if (shape.sparse) result[key] = null;
      }
      return result;
    }
    case 'blob':
      return bytesOf(value, shape.name);
    case 'timestamp':
      assert(value instanceof Date, `${shape.name} is a Date`);
      return tag({ tag: 1, value: value.getTime() / 1000 });
    case 'string':
      assert(typeof value === 'string', `${shape.name} is a string`);
      return value;
    case 'boolean':
      assert(typeof value === 'boolean', `${shape.name} is a boolean`);
      return value;
    case 'number':
    case 'bigInteger':
      assert(typeof value === 'number' || typeof value === 'bigint', `${shape.name} is a number`);
      return value;
    case 'bigDecimal':
      return value instanceof NumericValue ? value : new NumericValue(String(value), 'bigDecimal');
    case 'document':
      return value;
  }
}
