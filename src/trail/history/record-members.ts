import { namingParameters } from './resource-names.ts';

/**
 * The members of a record that are indexed, as a tree that the scanner walks along: each node stands for an object and
 * knows the members of it that matter.
 */
export interface MemberNode {
  /** Members by a small hash of their names; a chain where several share a place. */
  readonly places: readonly (Member | undefined)[];
  /** Whether a list of such objects counts as well as one (as in naming parameters). */
  readonly inLists: boolean;
}

export interface Member {
  readonly name: Uint8Array;
  /** Place of its text among a record's spans; -1: not one of them. */
  readonly span: number;
  /** Number of its naming parameter; -1: none. */
  readonly parameter: number;
  readonly child: MemberNode | undefined;
  /** A bit of its own among the members of the node that have children. */
  readonly bit: number;
  readonly next: Member | undefined;
}

/**
 * Where each text of a record goes among its spans. `readOnly` and `managementEvent` may be bare words. Those that begin
 * with `data` stand under eventData, where the integrations of CloudTrail Lake have what other records have at the top.
 */
const spanNames = [
  'eventID',
  'eventTime',
  'eventName',
  'eventSource',
  'eventCategory',
  'eventType',
  'errorCode',
  'sourceIPAddress',
  'recipientAccountId',
  'awsRegion',
  'readOnly',
  'type',
  'arn',
  'userName',
  'accessKeyId',
  'accountId',
  'principalId',
  'invokedBy',
  'issuerUserName',
  'managementEvent',
  'dataEventName',
  'dataEventSource',
  'dataErrorCode',
  'dataSourceIPAddress',
  'dataType',
  'dataPrincipalId',
] as const;
export type SpanName = (typeof spanNames)[number];

/** The spans of one element of `resources`, behind those of the record. */
export const resourceSpans = {
  ARN: spanNames.length,
  ARNPrefix: spanNames.length + 1,
  type: spanNames.length + 2,
};
export const spanCount = spanNames.length + 3;

/** What a node is built from. */
interface Sketch {
  readonly members: Map<string, { span: number; parameter: number; child: Sketch | undefined }>;
  readonly inLists: boolean;
}

const placeCount = 256;

export function placeOfName(length: number, first: number, last: number): number {
  return (length * 37 + first * 3 + last * 11) & (placeCount - 1);
}

function sketch(inLists: boolean): Sketch {
  return { members: new Map(), inLists };
}

function member(node: Sketch, name: string) {
  const known = node.members.get(name);
  if (known) return known;
  const fresh = { span: -1, parameter: -1, child: undefined };
  node.members.set(name, fresh);
  return fresh as { span: number; parameter: number; child: Sketch | undefined };
}

function build({ members, inLists }: Sketch): MemberNode {
  const places: (Member | undefined)[] = Array.from({ length: placeCount });
  let bit = 1;
  for (const [text, { span, parameter, child }] of members) {
    const name = Buffer.from(text);
    const place = placeOfName(name.length, name[0] as number, name.at(-1) as number);
    places[place] = { name, span, parameter, child: child && build(child), bit, next: places[place] };
    if (child) bit *= 2;
  }
  return { places, inLists };
}

/** Spans whose value may be the bare word true or false. */
export const wordSpans: ReadonlySet<number> = new Set([
  spanNames.indexOf('readOnly'),
  spanNames.indexOf('managementEvent'),
]);

/** Puts the spans `data…` of these members, whose own names are given, into a node. */
function addDataSpans(node: Sketch, names: Readonly<Record<string, SpanName>>): void {
  for (const [name, span] of Object.entries(names)) member(node, name).span = spanNames.indexOf(span);
}

function dataSketch(): Sketch {
  const data = sketch(false);
  addDataSpans(data, {
    eventName: 'dataEventName',
    eventSource: 'dataEventSource',
    errorCode: 'dataErrorCode',
    sourceIPAddress: 'dataSourceIPAddress',
  });
  const identity = sketch(false);
  addDataSpans(identity, { type: 'dataType', principalId: 'dataPrincipalId' });
  member(data, 'userIdentity').child = identity;
  return data;
}

function addSpans(node: Sketch, names: readonly SpanName[]): void {
  for (const name of names) member(node, name).span = spanNames.indexOf(name);
}

function recordSketch(): Sketch {
  const record = sketch(false);
  addSpans(record, [...spanNames.slice(0, spanNames.indexOf('type')), 'managementEvent']);
  member(record, 'eventData').child = dataSketch();
  const identity = sketch(false);
  addSpans(identity, ['type', 'arn', 'userName', 'accessKeyId', 'accountId', 'principalId', 'invokedBy']);
  const session = sketch(false);
  const issuer = sketch(false);
  member(issuer, 'userName').span = spanNames.indexOf('issuerUserName');
  member(session, 'sessionIssuer').child = issuer;
  member(identity, 'sessionContext').child = session;
  member(record, 'userIdentity').child = identity;
  for (const [number, { side, path }] of namingParameters.entries()) {
    let node = (member(record, side).child ??= sketch(false));
    for (const step of path.slice(0, -1)) node = member(node, step).child ??= sketch(true);
    member(node, path.at(-1) ?? '').parameter = number;
  }
  return record;
}

function resourceSketch(): Sketch {
  const resource = sketch(false);
  for (const [name, span] of Object.entries(resourceSpans)) member(resource, name).span = span;
  return resource;
}

/** The tree of an element of `resources`, and that of a record. `resources` itself is a list, which the scanner knows. */
export const resourceNode: MemberNode = build(resourceSketch());
export const recordNode: MemberNode = build(
  ((): Sketch => {
    const record = recordSketch();
    member(record, 'resources').child = sketch(false);
    return record;
  })(),
);
