import type { AuditResource, Call } from '../../wire/index.ts';
import { cappedJson, cappedText, fieldCaps, omittedNote } from './field-caps.ts';
import { auditTime, type UserIdentity } from './user-identity.ts';

/** What is known of one call, for its record. */
export interface AuditFacts {
  readonly eventId: string;
  readonly requestId: string;
  /** When the call was completed, epoch milliseconds. */
  readonly time: number;
  readonly userIdentity: UserIdentity;
  readonly eventSource: string;
  readonly eventName: string;
  readonly region: string;
  readonly sourceIp: string;
  readonly userAgent: string;
  /** Undefined, with `tls`, where no client was connected. */
  readonly host?: string;
  readonly tls?: Call['tls'];
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** Member names as CloudTrail writes them, without sensitive members. */
  readonly requestParameters: unknown;
  /** As `requestParameters`; nothing for reads and failures. */
  readonly responseElements: unknown;
  readonly additionalEventData?: unknown;
  readonly readOnly: boolean;
  readonly category: 'management' | 'data';
  readonly resources: readonly AuditResource[];
  readonly recipientAccountId: string;
  /** Set when the same call is recorded for two accounts. */
  readonly sharedEventId?: string;
}

/** The resources that fit; a call that touches more of them names the first ones. */
function cappedResources(resources: readonly AuditResource[]): readonly AuditResource[] {
  let bytes = 0;
  const last = resources.findIndex((resource) => {
    bytes += Buffer.byteLength(JSON.stringify(resource)) + 1;
    return bytes > fieldCaps.resources;
  });
  return last < 0 ? resources : resources.slice(0, last);
}

function tlsDetailsOf({ tls, host }: AuditFacts): Record<string, string> | undefined {
  if (host === undefined) return undefined;
  return {
    // Behind a proxy that ends TLS, neither is known.
    ...(tls && tls.version !== '-' && { tlsVersion: tls.version, cipherSuite: tls.cipher }),
    clientProvidedHostHeader: cappedText(host),
  };
}

/** Everything before requestParameters, without the closing brace. */
function headOf(facts: AuditFacts): string {
  const head = JSON.stringify({
    eventVersion: '1.11',
    userIdentity: facts.userIdentity,
    eventTime: auditTime(facts.time),
    eventSource: cappedText(facts.eventSource),
    eventName: cappedText(facts.eventName),
    awsRegion: facts.region,
    sourceIPAddress: facts.sourceIp,
    userAgent: cappedText(facts.userAgent),
    ...(facts.error && {
      errorCode: cappedText(facts.error.code),
      errorMessage: cappedText(facts.error.message),
    }),
  });
  return head.slice(0, -1);
}

/** Everything after responseElements and additionalEventData, without the opening brace. */
function tailOf(facts: AuditFacts): string {
  const resources = cappedResources(facts.resources);
  const tail = JSON.stringify({
    requestID: cappedText(facts.requestId),
    eventID: facts.eventId,
    readOnly: facts.readOnly,
    ...(resources.length > 0 && { resources }),
    eventType: 'AwsApiCall',
    managementEvent: facts.category === 'management',
    recipientAccountId: facts.recipientAccountId,
    ...(facts.sharedEventId !== undefined && { sharedEventID: facts.sharedEventId }),
    eventCategory: facts.category === 'management' ? 'Management' : 'Data',
    tlsDetails: tlsDetailsOf(facts),
  });
  return tail.slice(1);
}

/**
 * A CloudTrail record, eventVersion 1.11, as UTF-8 JSON ("CloudTrail record contents for management, data, and network
 * activity events"). The fields stand in the order in which CloudTrail writes them, within CloudTrail's sizes: text is
 * cut, values that are too large are replaced by a note, and no record is larger than 256 KB.
 */
export function encodeAuditRecord(facts: AuditFacts): Uint8Array {
  let request = cappedJson('requestParameters', facts.requestParameters, fieldCaps.requestParameters);
  let response = cappedJson('responseElements', facts.responseElements, fieldCaps.responseElements);
  const additional =
    facts.additionalEventData === undefined
      ? ''
      : `,"additionalEventData":${cappedJson('additionalEventData', facts.additionalEventData, fieldCaps.additionalEventData)}`;
  const head = headOf(facts);
  const tail = tailOf(facts);
  const encode = () =>
    Buffer.from(
      `${head},"requestParameters":${request},"responseElements":${response}${additional},${tail}`,
      'utf8',
    );
  let bytes = encode();
  if (bytes.length > fieldCaps.record) {
    response = omittedNote('responseElements', Buffer.byteLength(response));
    request = omittedNote('requestParameters', Buffer.byteLength(request));
    bytes = encode();
  }
  return bytes;
}
