import { assert, integer, jsonValue, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountId } from '../../kernel/index.ts';
import type { Principal, Session } from '../../wire/index.ts';
import { scanRecord } from '../history/index.ts';
import { encodeAuditRecord, type AuditFacts } from './audit-record.ts';
import { cappedText, fieldCaps } from './field-caps.ts';
import { foreignIdentityOf, unknownIdentity, userIdentityOf } from './user-identity.ts';

const account = accountId('123456789012');
const session: Session = {
  issuedAt: Date.UTC(2026, 10, 22, 9, 0, 0, 500),
  expiresAt: Date.UTC(2026, 10, 22, 10),
  mfaAuthenticated: false,
};
const user: Principal = {
  type: 'IAMUser',
  accountId: account,
  arn: `arn:aws:iam::${account}:user/alice`,
  principalId: 'AIDAEXAMPLE',
  userName: 'alice',
  accessKeyId: 'AKIAEXAMPLE',
};

function facts(over: Partial<AuditFacts> = {}): AuditFacts {
  return {
    eventId: '11111111-2222-4333-8444-555555555555',
    requestId: 'request-1',
    time: Date.UTC(2026, 10, 22, 10, 0, 0, 999),
    userIdentity: userIdentityOf(user),
    eventSource: 'iam.amazonaws.com',
    eventName: 'CreateUser',
    region: 'us-east-1',
    sourceIp: '192.0.2.7',
    userAgent: 'aws-cli/2.9.19',
    host: 'localhost:4747',
    tls: undefined,
    error: undefined,
    requestParameters: { userName: 'bob' },
    responseElements: null,
    readOnly: false,
    category: 'management',
    resources: [],
    recipientAccountId: account,
    ...over,
  };
}

function decode(over: Partial<AuditFacts> = {}): Record<string, unknown> {
  return JSON.parse(Buffer.from(encodeAuditRecord(facts(over))).toString()) as Record<string, unknown>;
}

describe('the record', () => {
  it('has the documented fields in the order in which CloudTrail writes them', () => {
    const record = decode({
      error: { code: 'NoSuchEntityException', message: 'gone' },
      additionalEventData: { note: 1 },
      resources: [{ ARN: 'arn:aws:iam::123456789012:user/bob', accountId: account, type: 'AWS::IAM::User' }],
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
      sharedEventId: '99999999-2222-4333-8444-555555555555',
    });
    expect(Object.entries(record)).toEqual([
      ['eventVersion', '1.11'],
      [
        'userIdentity',
        {
          type: 'IAMUser',
          principalId: 'AIDAEXAMPLE',
          arn: `arn:aws:iam::${account}:user/alice`,
          accountId: account,
          accessKeyId: 'AKIAEXAMPLE',
          userName: 'alice',
        },
      ],
      ['eventTime', '2026-11-22T10:00:00Z'],
      ['eventSource', 'iam.amazonaws.com'],
      ['eventName', 'CreateUser'],
      ['awsRegion', 'us-east-1'],
      ['sourceIPAddress', '192.0.2.7'],
      ['userAgent', 'aws-cli/2.9.19'],
      ['errorCode', 'NoSuchEntityException'],
      ['errorMessage', 'gone'],
      ['requestParameters', { userName: 'bob' }],
      ['responseElements', null],
      ['additionalEventData', { note: 1 }],
      ['requestID', 'request-1'],
      ['eventID', '11111111-2222-4333-8444-555555555555'],
      ['readOnly', false],
      [
        'resources',
        [{ ARN: 'arn:aws:iam::123456789012:user/bob', accountId: account, type: 'AWS::IAM::User' }],
      ],
      ['eventType', 'AwsApiCall'],
      ['managementEvent', true],
      ['recipientAccountId', account],
      ['sharedEventID', '99999999-2222-4333-8444-555555555555'],
      ['eventCategory', 'Management'],
      [
        'tlsDetails',
        {
          tlsVersion: 'TLSv1.3',
          cipherSuite: 'TLS_AES_128_GCM_SHA256',
          clientProvidedHostHeader: 'localhost:4747',
        },
      ],
    ]);
  });

  it('leaves out what does not apply', () => {
    const record = decode({ category: 'data', readOnly: true, requestParameters: {} });
    expect(Object.keys(record)).not.toEqual(
      expect.arrayContaining([
        'errorCode',
        'errorMessage',
        'additionalEventData',
        'resources',
        'sharedEventID',
      ]),
    );
    expect(record).toMatchObject({
      requestParameters: null,
      responseElements: null,
      managementEvent: false,
      eventCategory: 'Data',
      readOnly: true,
      tlsDetails: { clientProvidedHostHeader: 'localhost:4747' },
    });
  });

  it('keeps to the sizes that CloudTrail documents', () => {
    const record = decode({
      userAgent: 'ü'.repeat(1_000),
      error: { code: 'C'.repeat(2_000), message: `${'m'.repeat(1_023)}€` },
      requestParameters: { text: 'x'.repeat(100 * 1024) },
      responseElements: { text: 'x'.repeat(100 * 1024 - 11) },
      additionalEventData: { text: 'x'.repeat(28 * 1024) },
    });
    expect(record['userAgent']).toBe('ü'.repeat(512));
    expect(record['errorCode']).toBe('C'.repeat(1024));
    expect(record['errorMessage']).toBe('m'.repeat(1_023));
    expect(record['requestParameters']).toEqual({
      omitted: true,
      originalSize: 100 * 1024 + 11,
      reason: 'requestParameters too large',
    });
    expect(record['responseElements']).toEqual({ text: 'x'.repeat(100 * 1024 - 11) });
    expect(record['additionalEventData']).toEqual({
      omitted: true,
      originalSize: 28 * 1024 + 11,
      reason: 'additionalEventData too large',
    });
  });

  it('is never larger than 256 KB', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => ({
      ARN: `arn:aws:s3:::${'b'.repeat(50)}${index}`,
    }));
    const bytes = encodeAuditRecord(
      facts({
        requestParameters: { text: 'x'.repeat(100 * 1024 - 11) },
        responseElements: { text: 'x'.repeat(100 * 1024 - 11) },
        additionalEventData: { text: 'x'.repeat(28 * 1024 - 11) },
        resources: many,
        // Control characters take six bytes each in JSON.
        userAgent: '\u0001'.repeat(1024),
        error: { code: '\u0001'.repeat(1024), message: '\u0001'.repeat(1024) },
        requestId: '\u0001'.repeat(1024),
        eventName: '\u0001'.repeat(1024),
      }),
    );
    expect(bytes.length).toBeLessThanOrEqual(fieldCaps.record);
    const record = JSON.parse(Buffer.from(bytes).toString()) as { resources: unknown[] };
    expect(record.resources.length).toBeGreaterThan(100);
    expect(record.resources).toEqual(many.slice(0, record.resources.length));
  });

  it('is valid JSON that the history takes, whatever a caller sends', () => {
    const anyText = string({ unit: 'binary', maxLength: 3_000 });
    assert(
      property(anyText, anyText, anyText, jsonValue(), (userAgent, code, message, value) => {
        const bytes = encodeAuditRecord(
          facts({ userAgent, host: message, error: { code, message }, requestParameters: value }),
        );
        expect(bytes.length).toBeLessThanOrEqual(fieldCaps.record);
        expect(scanRecord(bytes)).toMatchObject({ kind: 'record', record: { eventName: 'CreateUser' } });
      }),
      { numRuns: 200 },
    );
  });

  it('cuts text between characters', () => {
    assert(
      property(string({ unit: 'grapheme' }), integer({ min: 0, max: 40 }), (text, most) => {
        const cut = cappedText(text, most);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(Math.max(most, 0));
        expect(text.startsWith(cut)).toBe(true);
        // The next character would not have fitted.
        const next = String.fromCodePoint(text.slice(cut.length).codePointAt(0) ?? 0);
        if (cut !== text) expect(Buffer.byteLength(cut + next)).toBeGreaterThan(most);
      }),
    );
  });
});

describe('userIdentity', () => {
  it('of the root user', () => {
    const root: Principal = {
      type: 'Root',
      accountId: account,
      arn: `arn:aws:iam::${account}:root`,
      accessKeyId: 'ASIAEXAMPLE',
      session: { ...session, mfaAuthenticated: true },
    };
    expect(userIdentityOf(root)).toEqual({
      type: 'Root',
      principalId: account,
      arn: `arn:aws:iam::${account}:root`,
      accountId: account,
      accessKeyId: 'ASIAEXAMPLE',
      sessionContext: { attributes: { creationDate: '2026-11-22T09:00:00Z', mfaAuthenticated: 'true' } },
    });
    // "CloudTrail userIdentity element", type Root.
    expect(userIdentityOf({ ...root, accountAlias: 'acme' })).toMatchObject({ userName: 'acme' });
  });

  it('of an IAM user with GetSessionToken credentials', () => {
    expect(userIdentityOf({ ...user, session })).toMatchObject({
      type: 'IAMUser',
      userName: 'alice',
      sessionContext: { attributes: { creationDate: '2026-11-22T09:00:00Z', mfaAuthenticated: 'false' } },
    });
  });

  it('of an assumed role, with the role behind it and the source identity', () => {
    const identity = userIdentityOf({
      type: 'AssumedRole',
      accountId: account,
      arn: `arn:aws:sts::${account}:assumed-role/auditor/night`,
      principalId: 'AROAEXAMPLE:night',
      accessKeyId: 'ASIAEXAMPLE',
      role: { arn: `arn:aws:iam::${account}:role/path/auditor`, principalId: 'AROAEXAMPLE', name: 'auditor' },
      session: { ...session, sourceIdentity: 'alice' },
    });
    expect(identity).toEqual({
      type: 'AssumedRole',
      principalId: 'AROAEXAMPLE:night',
      arn: `arn:aws:sts::${account}:assumed-role/auditor/night`,
      accountId: account,
      accessKeyId: 'ASIAEXAMPLE',
      sessionContext: {
        sessionIssuer: {
          type: 'Role',
          principalId: 'AROAEXAMPLE',
          arn: `arn:aws:iam::${account}:role/path/auditor`,
          accountId: account,
          userName: 'auditor',
        },
        attributes: { creationDate: '2026-11-22T09:00:00Z', mfaAuthenticated: 'false' },
        sourceIdentity: 'alice',
      },
    });
  });

  it('of nobody who was proven names the claimed key alone', () => {
    expect(unknownIdentity('AKIACLAIMED')).toEqual({ type: 'Unknown', accessKeyId: 'AKIACLAIMED' });
    expect(unknownIdentity(undefined)).toEqual({ type: 'Unknown' });
    expect(unknownIdentity('A'.repeat(5_000)).accessKeyId).toHaveLength(128);
  });

  it('that another account sees holds neither name nor key', () => {
    expect(foreignIdentityOf(user)).toEqual({
      type: 'AWSAccount',
      principalId: 'AIDAEXAMPLE',
      accountId: account,
    });
  });
});
