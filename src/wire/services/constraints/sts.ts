import type { ServiceConstraints } from './constraint.ts';

const arnCharacters =
  '[\\t\\n\\r\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u{10000}-\\u{10FFFF}]+';
const digits = '[\\d]*';
const latin1 = '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+';
const nameCharacters = '[\\w+=,.@-]*';
const serialNumber = '[\\w+=/:,.@-]*';
const tagKey = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+';
const tagValue = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*';
const word = '[\\w]*';

/**
 * Lengths, ranges and patterns of STS, from the pages of its operations and data types. A session duration beyond the
 * role's own maximum, and a policy that is too large once packed, are the operations' own matter.
 */
export const stsConstraints: ServiceConstraints = {
  source: 'https://docs.aws.amazon.com/STS/latest/APIReference/',
  members: {
    AccessKeyId: { length: [16, 128], pattern: word },
    Audience: { items: [1, 10], element: { length: [1, 1000] } },
    ContextAssertion: { length: [4, 2048] },
    DurationSeconds: { range: [900, 43200] },
    EncodedMessage: { length: [1, 10240] },
    ExternalId: { length: [2, 1224], pattern: '[\\w+=,.@:\\/-]*' },
    Key: { length: [1, 128], pattern: tagKey },
    Name: { length: [2, 32], pattern: nameCharacters },
    Policy: { length: [1, 2048], pattern: latin1 },
    PrincipalArn: { length: [20, 2048], pattern: arnCharacters },
    ProvidedContexts: { items: [1, 5] },
    ProviderArn: { length: [20, 2048], pattern: arnCharacters },
    ProviderId: { length: [4, 2048] },
    RoleArn: { length: [20, 2048], pattern: arnCharacters },
    RoleSessionName: { length: [2, 64], pattern: nameCharacters },
    SAMLAssertion: { length: [4, 100000] },
    SerialNumber: { length: [9, 256], pattern: serialNumber },
    SigningAlgorithm: { length: [5, 5] },
    SourceIdentity: { length: [2, 64], pattern: nameCharacters },
    Tags: { items: [0, 50] },
    TargetPrincipal: { length: [12, 2048] },
    TokenCode: { length: [6, 6], pattern: digits },
    TransitiveTagKeys: { items: [0, 50], element: { length: [1, 128], pattern: tagKey } },
    Value: { length: [0, 256], pattern: tagValue },
    WebIdentityToken: { length: [4, 20000] },
    arn: { length: [20, 2048], pattern: arnCharacters },
  },
  structures: {
    AssumeRoleRequest: { Policy: { length: [1], pattern: latin1 } },
    AssumeRootRequest: { DurationSeconds: { range: [0, 900] } },
    GetFederationTokenRequest: { DurationSeconds: { range: [900, 129600] } },
    GetSessionTokenRequest: { DurationSeconds: { range: [900, 129600] } },
    GetWebIdentityTokenRequest: { DurationSeconds: { range: [60, 3600] } },
  },
};
