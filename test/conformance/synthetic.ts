import type { Member, Shape, StructureShape, UnitShape } from '../../src/wire/schema/index.ts';

/** Decides what stands at a member, where a client would refuse or change anything else; undefined for the usual. */
export type Choose = (member: Member, structure: StructureShape) => unknown;

/** Recursive shapes end here. */
const deepest = 6;

/**
 * A value of the shape with every member set and every list and map filled, the same at every run. Unions take the
 * member that `turn` selects. Text holds characters that each protocol has to escape.
 */
export function synthesise(
  shape: StructureShape | UnitShape,
  turn: number,
  choose: Choose,
): Record<string, unknown> {
  return shape.kind === 'unit' ? {} : structureValue(shape, turn, choose, 0);
}

function structureValue(
  shape: StructureShape,
  turn: number,
  choose: Choose,
  depth: number,
): Record<string, unknown> {
  const members = shape.union ? [shape.members[turn % shape.members.length]!] : shape.members;
  const result: Record<string, unknown> = {};
  for (const member of members) {
    const chosen = choose(member, shape);
    const value = chosen === undefined ? memberValue(member, turn, choose, depth) : chosen;
    if (value !== undefined && value !== null) result[member.name] = value;
  }
  return result;
}

function memberValue(member: Member, turn: number, choose: Choose, depth: number): unknown {
  if (member.place.in === 'status') return 200;
  // Line breaks, quotes and letters beyond ASCII do not survive in a header by the protocol's own definition.
  const plain = member.place.in === 'header' || member.place.in === 'prefixHeaders';
  return valueOf(member.shape, turn, choose, depth, plain ? 'plain text' : `${member.name} <&"'> ü ☃ 𝄞 +%/ `);
}

function valueOf(shape: Shape, turn: number, choose: Choose, depth: number, text: string): unknown {
  switch (shape.kind) {
    case 'unit':
      return {};
    case 'structure':
      if (depth > deepest) return undefined;
      return structureValue(shape, turn, choose, depth + 1);
    case 'list': {
      const element =
        depth > deepest ? undefined : valueOf(shape.element.shape, turn, choose, depth + 1, text);
      const other =
        depth > deepest ? undefined : valueOf(shape.element.shape, turn + 1, choose, depth + 1, `${text}2`);
      return element === undefined ? undefined : [element, other];
    }
    case 'map': {
      const value = depth > deepest ? undefined : valueOf(shape.value.shape, turn, choose, depth + 1, text);
      if (value === undefined) return undefined;
      return text === 'plain text' ? { 'a-key': value, b: value } : { 'a.key & <more>': value, b: value };
    }
    case 'string':
      return text;
    case 'boolean':
      return turn % 2 === 0;
    case 'number':
      return 1 + (turn % 7);
    case 'bigInteger':
      return 12345678901234567890n;
    case 'blob':
      return new Uint8Array([0, 1, 2, 253, 254, 255, turn % 256]);
    case 'timestamp':
      return new Date(Date.UTC(2026, 10, 22, 20, turn % 60, 5));
    case 'document':
      return { key: ['value', 1, true, null] };
    case 'bigDecimal':
      throw new Error('no declared service has big decimals');
  }
}

/** Values that the SDK's clients check or rewrite before they send them. */
export function chooseInput(member: Member, structure: StructureShape): unknown {
  const { name } = member;
  if (name === 'Bucket' && member.place.in === 'label') return 'a-bucket';
  if (name === 'Key' && member.place.in === 'label') return 'a key/with ü/and//slashes&+.txt';
  if (name === 'CopySource') return 'a-bucket/other%20key';
  if (name.startsWith('SSECustomerKey') || name.startsWith('CopySourceSSECustomerKey')) return null;
  if (name === 'ChecksumAlgorithm') return 'CRC32';
  if (/^Checksum(CRC|SHA|MD5|XXHASH)/.test(name) || name === 'ContentMD5') return null;
  if (name === 'ContentLength') return 3;
  // Becomes a part of the host name.
  if (name === 'RequestRoute') return 'a-route';
  // Each client answers for one of its own sort of endpoint alone.
  if (name === 'EndpointId') return null;
  if (name === 'AccountId') return '123456789012';
  // Both travel under one name in a form.
  if (name === 'AttributeNames' && structure.name === 'ReceiveMessageRequest') return null;
  if (name === 'QueueUrl') return 'http://127.0.0.1:4747/123456789012/a-queue';
  if (structure.name === 'PutObjectRequest' && name === 'Body') return new Uint8Array([1, 2, 3]);
  return undefined;
}
