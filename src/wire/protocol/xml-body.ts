import { NumericValue } from '@smithy/core/serde';
import { assert, limits } from '../../kernel/index.ts';
import {
  type Member,
  type Shape,
  type StructureShape,
  type XmlNamespace,
  type ScalarShape,
  isScalar,
} from '../schema/index.ts';
import { scalarFromText } from './form-body.ts';
import { base64, present, record } from './json-body.ts';
import { emptyRecord } from './text.ts';
import { writeTimestamp } from './timestamps.ts';
import { malformedXml, type XmlElement } from './xml-parser.ts';

/** Reads an element by its shape ("XML bindings" in the Smithy specification). Throws MalformedXML. */
export function readXml(shape: StructureShape, element: XmlElement): Record<string, unknown> {
  return readStructure(shape, element, 0);
}

function readStructure(shape: StructureShape, element: XmlElement, depth: number): Record<string, unknown> {
  if (depth > limits.requestDepth) throw malformedXml('it is nested too deeply');
  const byName = Map.groupBy(element.children, (child) => child.name);
  const result: Record<string, unknown> = {};
  let set = 0;
  for (const member of shape.members) {
    const value = readMember(member, element, byName, depth);
    if (value === undefined) continue;
    result[member.name] = value;
    set += 1;
  }
  if (shape.union && set !== 1) throw malformedXml(`exactly one member of ${shape.name} must be set`);
  return result;
}

function readMember(
  member: Member,
  parent: XmlElement,
  byName: ReadonlyMap<string, readonly XmlElement[]>,
  depth: number,
): unknown {
  const name = member.xmlName ?? member.name;
  if (member.xmlAttribute) {
    const text = parent.attributes.get(name);
    return text === undefined ? undefined : readText(member.shape as ScalarShape, text, name);
  }
  const elements = byName.get(localName(name));
  const first = elements?.[0];
  if (!elements || !first) return undefined;
  if (member.xmlFlattened && member.shape.kind === 'list') {
    const { element } = member.shape;
    return elements.map((item) => readValue(element, item, depth + 1));
  }
  if (member.xmlFlattened && member.shape.kind === 'map') return readEntries(member.shape, elements, depth);
  if (elements.length > 1) throw malformedXml(`<${name}> stands more than once`);
  return readValue(member, first, depth + 1);
}

function readValue(member: Member, element: XmlElement, depth: number): unknown {
  const { shape } = member;
  if (isScalar(shape)) {
    if (element.children.length > 0) throw malformedXml(`<${element.name}> takes a value, not elements`);
    return readText(shape, element.text, element.name);
  }
  switch (shape.kind) {
    case 'unit':
      return {};
    case 'structure':
      return readStructure(shape, element, depth);
    case 'list': {
      const name = localName(shape.element.xmlName ?? 'member');
      return element.children
        .filter((child) => child.name === name)
        .map((child) => readValue(shape.element, child, depth + 1));
    }
    case 'map':
      return readEntries(
        shape,
        element.children.filter((child) => child.name === 'entry'),
        depth,
      );
  }
}

function readEntries(
  shape: Extract<Shape, { kind: 'map' }>,
  entries: readonly XmlElement[],
  depth: number,
): Record<string, unknown> {
  if (depth > limits.requestDepth) throw malformedXml('it is nested too deeply');
  const result = emptyRecord<unknown>();
  for (const entry of entries) {
    const key = child(entry, shape.key.xmlName ?? 'key');
    const value = child(entry, shape.value.xmlName ?? 'value');
    if (!key || !value) throw malformedXml(`<${entry.name}> takes a key and a value`);
    result[key.text] = readValue(shape.value, value, depth + 1);
  }
  return result;
}

function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((one) => one.name === localName(name));
}

function readText(shape: ScalarShape, text: string, name: string): unknown {
  const value = scalarFromText(shape, shape.kind === 'string' ? text : text.trim(), 'dateTime');
  if (value === undefined) throw malformedXml(`<${name}> is not a valid ${shape.kind}`);
  return value;
}

/** Names in the model may carry a prefix; parsed elements do not. */
function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

/** Writes a structure as the element `name`; `namespace` is declared on it. */
export function writeXmlElement(
  name: string,
  shape: StructureShape,
  value: unknown,
  namespace: XmlNamespace | undefined,
): string {
  const given = record(value, shape.name);
  let attributes = '';
  let children = '';
  for (const member of shape.members) {
    const entry = given[member.name];
    if (entry === undefined || entry === null) continue;
    if (member.xmlAttribute) attributes += attributeText(member, entry);
    else children += writeMember(member, entry);
  }
  return `<${name}${xmlns(namespace)}${attributes}>${children}</${name}>`;
}

/** Writes the members of a structure that `only` picks, one element after another. */
export function writeXmlMembers(
  shape: StructureShape,
  value: unknown,
  only: (member: Member) => boolean,
): string {
  const given = record(value, shape.name);
  return shape.members
    .filter((member) => present(given[member.name]) && only(member))
    .map((member) => writeMember(member, given[member.name]))
    .join('');
}

function writeMember(member: Member, value: unknown): string {
  const name = member.xmlName ?? member.name;
  const { shape } = member;
  if (!member.xmlFlattened) return writeNamed(name, member, value);
  if (shape.kind === 'list') {
    assert(Array.isArray(value), `${shape.name} is a list`);
    return kept(shape.sparse, value)
      .map((item) => writeNamed(name, shape.element, item))
      .join('');
  }
  if (shape.kind === 'map') return entriesOf(shape, value, name, member.xmlNamespace);
  return writeNamed(name, member, value);
}

function writeNamed(name: string, member: Member, value: unknown): string {
  const { shape } = member;
  const namespace = xmlns(member.xmlNamespace);
  if (value === null) return `<${name}${namespace}/>`;
  if (isScalar(shape)) {
    return `<${name}${namespace}>${escapeXml(scalarText(shape, value, 'dateTime'))}</${name}>`;
  }
  switch (shape.kind) {
    case 'unit':
      return `<${name}${namespace}/>`;
    case 'structure':
      return writeXmlElement(name, shape, value, member.xmlNamespace);
    case 'list': {
      assert(Array.isArray(value), `${shape.name} is a list`);
      const items = kept(shape.sparse, value).map((item) =>
        writeNamed(shape.element.xmlName ?? 'member', shape.element, item),
      );
      return `<${name}${namespace}>${items.join('')}</${name}>`;
    }
    case 'map':
      return `<${name}${namespace}>${entriesOf(shape, value, 'entry', undefined)}</${name}>`;
  }
}

function entriesOf(
  shape: Extract<Shape, { kind: 'map' }>,
  value: unknown,
  name: string,
  namespace: XmlNamespace | undefined,
): string {
  const keyName = shape.key.xmlName ?? 'key';
  return Object.entries(record(value, shape.name))
    .filter(([, entry]) => shape.sparse || present(entry))
    .map(([key, entry]) => {
      const keyElement = `<${keyName}${xmlns(shape.key.xmlNamespace)}>${escapeXml(key)}</${keyName}>`;
      return `<${name}${xmlns(namespace)}>${keyElement}${writeNamed(shape.value.xmlName ?? 'value', shape.value, entry)}</${name}>`;
    })
    .join('');
}

function kept(sparse: boolean, values: readonly unknown[]): readonly unknown[] {
  return sparse ? values : values.filter((value) => present(value));
}

/** A scalar as text, for XML and HTTP headers. A value that is not of its shape is a mistake of the program. */
export function scalarText(shape: ScalarShape, value: unknown, time: 'dateTime' | 'httpDate'): string {
  switch (shape.kind) {
    case 'string':
      assert(typeof value === 'string', `${shape.name} is a string`);
      return value;
    case 'boolean':
      assert(typeof value === 'boolean', `${shape.name} is a boolean`);
      return String(value);
    case 'number':
    case 'bigInteger':
      assert(typeof value === 'number' || typeof value === 'bigint', `${shape.name} is a number`);
      return String(value);
    case 'bigDecimal':
      return value instanceof NumericValue ? value.string : String(value);
    case 'blob':
      return base64(value, shape.name);
    case 'timestamp':
      assert(value instanceof Date, `${shape.name} is a Date`);
      return writeTimestamp(value, shape.format ?? time);
    case 'document':
      return JSON.stringify(value);
  }
}

function attributeText(member: Member, value: unknown): string {
  return ` ${member.xmlName ?? member.name}="${escapeXml(scalarText(member.shape as ScalarShape, value, 'dateTime'))}"`;
}

function xmlns(namespace: XmlNamespace | undefined): string {
  if (!namespace) return '';
  return ` xmlns${namespace.prefix === '' ? '' : `:${namespace.prefix}`}="${escapeXml(namespace.uri)}"`;
}

// oxlint-disable-next-line no-control-regex
const special = /[&<>"\r\u0085\u2028]|[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#xD;',
  '\u0085': '&#x85;',
  '\u2028': '&#x2028;',
};

/** Escapes text for an element or an attribute. What XML 1.0 has no form for becomes the replacement character. */
export function escapeXml(text: string): string {
  return text.replace(special, (character) => escapes[character] ?? '\ufffd');
}
