import type {
  CreateGrantRequest,
  CreateGrantResponse,
  GrantConstraints,
  GrantListEntry,
  GrantOperation,
  ListGrantsRequest,
  ListGrantsResponse,
  ListRetirableGrantsRequest,
  RetireGrantRequest,
  RevokeGrantRequest,
} from '@aws-sdk/client-kms';
import { AwsFault, parseArn } from '../../../kernel/index.ts';
import type { Change, StateView } from '../../../state/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { limitExceeded, notFound, unsupported, validationError } from '../faults.ts';
import {
  bindParty,
  deleteGrant,
  grantKeys,
  keyOfGrant,
  partyShown,
  policyFor,
  readGrant,
  sameGrant,
  writeGrant,
  type GrantConstraint,
  type GrantDocument,
} from '../grant-documents.ts';
import { checkGrantTokens, grantOfToken, grantToken, readToken } from '../grant-tokens.ts';
import { mayBeget } from '../grant-use.ts';
import { keyArn, type KeyDocument } from '../key-documents.ts';
import { keyNamed, parseKeyId } from '../key-names.ts';
import { contextConditions, endDryRun, needOnNamed, needOnNone } from '../key-needs.ts';
import { checkEnabled } from '../key-states.ts';
import { noteKey, nothing, type Given, type KmsOperation, type Nothing } from '../operation.ts';
import { pageOfDocuments } from '../paging.ts';

/** "Resource quotas": grants of one key. */
const grantsPerKey = 50_000;
/** "Each constraint value can include up to 8 encryption context pairs. The … value … cannot exceed 384 characters." */
const mostPairs = 8;
const mostCharacters = 384;

/** Operations that a grant may be about, by the usage of the key ("Grant operations"). */
const always = ['CreateGrant', 'DescribeKey', 'RetireGrant'];
const operationsOf: Readonly<Record<KeyDocument['usage'], readonly string[]>> = {
  ENCRYPT_DECRYPT: [
    ...always,
    'Decrypt',
    'Encrypt',
    'GenerateDataKey',
    'GenerateDataKeyPair',
    'GenerateDataKeyPairWithoutPlaintext',
    'GenerateDataKeyWithoutPlaintext',
    'ReEncryptFrom',
    'ReEncryptTo',
  ],
  SIGN_VERIFY: [...always, 'GetPublicKey', 'Sign', 'Verify'],
};

function constraintsOf(given: GrantConstraints | undefined): readonly GrantConstraint[] {
  const kinds = ['EncryptionContextEquals', 'EncryptionContextSubset'] as const;
  return kinds.flatMap((kind) => {
    const context = given?.[kind];
    return context && Object.keys(context).length > 0 ? [{ kind, context }] : [];
  });
}

function checkConstraints(constraints: readonly GrantConstraint[], key: KeyDocument): void {
  if (constraints.length > 0 && key.spec !== 'SYMMETRIC_DEFAULT') {
    throw validationError(
      'Keys that are not symmetric have no encryption context, and take no constraint on it.',
    );
  }
  for (const { kind, context } of constraints) {
    const pairs = Object.entries(context);
    if (pairs.length > mostPairs) throw validationError(`${kind} takes ${mostPairs} pairs.`);
    const characters = pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    if (characters > mostCharacters) throw validationError(`${kind} takes ${mostCharacters} characters.`);
  }
}

function checkOperations(operations: readonly string[], key: KeyDocument): void {
  if (operations.length === 0) throw validationError('A grant allows at least one operation.');
  const known = operationsOf[key.usage];
  const wrong = operations.find((operation) => !known.includes(operation));
  if (wrong !== undefined) {
    throw validationError(
      `${wrong} is no operation of a grant on ${keyArn(key)}; there are ${known.join(', ')}.`,
    );
  }
}

/** Services do not use keys by grants here: each use of theirs is the caller's, or by the key's policy. */
function refuseServices(input: Given<CreateGrantRequest>): void {
  if (input.GranteeServicePrincipal !== undefined || input.RetiringServicePrincipal !== undefined) {
    throw unsupported(
      'GranteeServicePrincipal and RetiringServicePrincipal are not supported; name a principal.',
    );
  }
  if (input.Constraints?.SourceArn !== undefined) {
    throw unsupported('The constraint SourceArn is not supported: it goes with a service principal.');
  }
}

/** No service makes grants for its resources here. */
const notForServices = { 'kms:GrantIsForAWSResource': ['false'] };

/** Condition keys of CreateGrant ("AWS KMS condition keys"). */
function grantConditions(input: Given<CreateGrantRequest>) {
  const constraints = constraintsOf(input.Constraints);
  return {
    ...notForServices,
    'kms:GrantOperations': input.Operations,
    ...(input.GranteePrincipal !== undefined && { 'kms:GranteePrincipal': [input.GranteePrincipal] }),
    ...(input.RetiringPrincipal !== undefined && { 'kms:RetiringPrincipal': [input.RetiringPrincipal] }),
    ...(constraints.length > 0 && { 'kms:GrantConstraintType': constraints.map(({ kind }) => kind) }),
    ...contextConditions(Object.assign({}, ...constraints.map(({ context }) => context))),
  };
}

async function newGrant(
  input: Given<CreateGrantRequest>,
  call: Call,
  change: Change,
  key: KeyDocument,
  id: string,
): Promise<GrantDocument> {
  const { GranteePrincipal, RetiringPrincipal, Operations, Name } = input;
  if (GranteePrincipal === undefined) throw validationError('GranteePrincipal is missing.');
  const constraints = constraintsOf(input.Constraints);
  checkOperations(Operations, key);
  checkConstraints(constraints, key);
  const retiring = RetiringPrincipal === undefined ? undefined : await bindParty(change, RetiringPrincipal);
  return {
    id,
    accountId: key.accountId,
    region: key.region,
    keyId: key.id,
    createdAt: call.time,
    ...(Name !== undefined && { name: Name }),
    grantee: await bindParty(change, GranteePrincipal),
    ...(retiring && { retiring }),
    issuerAccountId: call.accountId,
    operations: [...new Set(Operations)],
    constraints,
  };
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** The members that a record shows, but for those that it leaves out. */
function recordedMembers(input: object, leftOut: readonly string[]): Record<string, unknown> {
  const shown = Object.entries(input).flatMap(([name, value]: [string, unknown]) =>
    value === undefined || leftOut.includes(name) ? [] : [[lowerFirst(name), value] as const],
  );
  return Object.fromEntries(shown);
}

export const CreateGrant: KmsOperation<CreateGrantRequest, CreateGrantResponse> = {
  access: 'write',
  needs: async (input, call, view) => {
    const child = { operations: input.Operations, constraints: constraintsOf(input.Constraints) };
    return [
      await needOnNamed(view, call, input.KeyId, {
        action: 'CreateGrant',
        elsewhere: true,
        conditions: grantConditions(input),
        granted: { allows: (parent) => mayBeget(parent, child) },
      }),
    ];
  },
  async handle(input, call, change, { random, state }) {
    refuseServices(input);
    await checkGrantTokens(change, input);
    const key = checkEnabled(await keyNamed(change, parseKeyId(input.KeyId, call), call.region));
    const id = Buffer.from(random.bytes(32)).toString('hex');
    const grant = await newGrant(input, call, change, key, id);
    endDryRun(input);
    // "the retry … can return the original GrantId": with a name, the same request makes no second grant.
    const same = await sameGrant(change, grant);
    if (same) return { GrantId: same.id, GrantToken: grantToken(same, random) };
    if ((await state.count(grantKeys.grants(key))) >= grantsPerKey) {
      throw limitExceeded(`A key takes ${grantsPerKey} grants.`);
    }
    writeGrant(change, grant);
    return { GrantId: id, GrantToken: grantToken(grant, random) };
  },
  /** The answer names no key, and its record does ("CreateGrant" of "Examples of AWS KMS log entries"). */
  recorded: (input, output, call) => {
    const constraints = constraintsOf(input.Constraints).map(
      ({ kind, context }) => [lowerFirst(kind), context] as const,
    );
    return {
      requestParameters: {
        ...recordedMembers(input, ['Constraints', 'GrantTokens']),
        ...(constraints.length > 0 && { constraints: Object.fromEntries(constraints) }),
      },
      responseElements: output ? { grantId: output.GrantId, keyId: parseKeyId(input.KeyId, call).arn } : null,
    };
  },
};

async function shown(view: StateView, grant: GrantDocument): Promise<GrantListEntry> {
  const { constraints, retiring, name } = grant;
  return {
    KeyId: keyArn(keyOfGrant(grant)),
    GrantId: grant.id,
    Name: name ?? '',
    CreationDate: new Date(grant.createdAt),
    GranteePrincipal: await partyShown(view, grant.grantee),
    ...(retiring && { RetiringPrincipal: await partyShown(view, retiring) }),
    IssuingAccount: `arn:aws:iam::${grant.issuerAccountId}:root`,
    Operations: [...grant.operations] as GrantOperation[],
    ...(constraints.length > 0 && {
      Constraints: Object.fromEntries(constraints.map(({ kind, context }) => [kind, { ...context }])),
    }),
  };
}

const usualPage = 50;

/** A page of the documents below `prefix` by which grants are found, as the grants that they stand for. */
async function listed(
  change: Change,
  prefix: string,
  input: Given<ListGrantsRequest | ListRetirableGrantsRequest>,
  find: (rest: string) => Promise<GrantDocument | undefined>,
): Promise<ListGrantsResponse> {
  const page = await pageOfDocuments(change, prefix, input, usualPage);
  const Grants: GrantListEntry[] = [];
  for (const document of page.items) {
    const grant = await find(document.key.slice(prefix.length));
    if (grant) Grants.push(await shown(change, grant));
  }
  return { Grants, ...page.answer };
}

export const ListGrants: KmsOperation<ListGrantsRequest, ListGrantsResponse> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, {
      action: 'ListGrants',
      elsewhere: true,
      conditions: notForServices,
    }),
  ],
  async handle(input, call, change) {
    if (input.GranteeServicePrincipal !== undefined) return { Grants: [], Truncated: false };
    const key = await keyNamed(change, parseKeyId(input.KeyId, call), call.region);
    if (input.GrantId !== undefined) {
      const grant = await readGrant(change, key, input.GrantId);
      const only = input.GranteePrincipal;
      const wanted = grant && (only === undefined || (await partyShown(change, grant.grantee)) === only);
      return { Grants: wanted ? [await shown(change, grant)] : [], Truncated: false };
    }
    const party =
      input.GranteePrincipal === undefined ? undefined : await bindParty(change, input.GranteePrincipal);
    const prefix = party ? grantKeys.ofGrantee(key, party.id ?? party.arn) : grantKeys.grants(key);
    return listed(change, prefix, input, (grantId) => readGrant(change, key, grantId));
  },
};

export const ListRetirableGrants: KmsOperation<ListRetirableGrantsRequest, ListGrantsResponse> = {
  access: 'read',
  needs: (_, call) => [needOnNone(call, 'ListRetirableGrants')],
  async handle(input, call, change) {
    const { RetiringPrincipal: principal } = input;
    if (principal === undefined) throw validationError('RetiringPrincipal is missing.');
    // "You can specify any principal in your AWS account."
    if (parseArn(principal)?.accountId !== call.accountId) {
      throw validationError(`${principal} is not of the account ${call.accountId}.`);
    }
    const party = await bindParty(change, principal);
    const prefix = grantKeys.ofRetiring(call.region, party.id ?? party.arn);
    return listed(change, prefix, input, (place) => {
      const [accountId = '', id = '', grantId = ''] = place.split('/');
      return readGrant(change, { accountId, region: call.region, id }, grantId);
    });
  },
};

type RetireInput = Given<RetireGrantRequest>;

const noGrant = (grantId: string): AwsFault => notFound(`Grant ID ${grantId} not found`);

/** The grant that a request to retire one names. Throws InvalidGrantTokenException, NotFoundException, ValidationException. */
async function grantToRetire(view: StateView, input: RetireInput, call: Call): Promise<GrantDocument> {
  const { GrantToken: token, KeyId: keyId, GrantId: grantId } = input;
  if (token !== undefined) {
    if (keyId !== undefined || grantId !== undefined) {
      throw validationError('Give a GrantToken alone, or a KeyId and a GrantId.');
    }
    noteKey(input, keyArn(readToken(token)));
    const grant = await grantOfToken(view, token);
    if (grant.region === call.region) return grant;
    throw noGrant(grant.id);
  }
  if (keyId === undefined || grantId === undefined) {
    throw validationError('Give a GrantToken, or a KeyId and a GrantId.');
  }
  const key = await keyNamed(view, parseKeyId(keyId, call), call.region);
  const grant = await readGrant(view, key, grantId);
  if (!grant) throw noGrant(grantId);
  return grant;
}

/**
 * The grant says who may retire it: its retiring principal, its grantee where it allows RetireGrant, and the account in which
 * it was made, which may delegate that ("Retiring and revoking grants"). No other policy gives it, and a deny takes it.
 */
function needToRetire(grant: GrantDocument, call: Call): Need {
  const { retiring, grantee, operations, issuerAccountId } = grant;
  const parties = [
    ...(retiring ? [retiring] : []),
    ...(operations.includes('RetireGrant') ? [grantee] : []),
    { arn: `arn:aws:iam::${issuerAccountId}:root` },
  ];
  return {
    action: 'kms:RetireGrant',
    resource: keyArn(keyOfGrant(grant)),
    resourcePolicy: policyFor(parties, ['kms:RetireGrant']),
    resourcePolicyRequired: true,
    // Whoever the grant names needs no permission of their own account beside it, wherever the key is.
    resourceAccountId: call.accountId,
    conditions: { 'kms:CallerAccount': [call.accountId] },
  };
}

export const RetireGrant: KmsOperation<RetireGrantRequest, Nothing> = {
  access: 'write',
  async needs(input, call, view) {
    try {
      return [needToRetire(await grantToRetire(view, input, call), call)];
    } catch (error) {
      // What is not there is told to those who might retire it.
      if (error instanceof AwsFault) return [needOnNone(call, 'RetireGrant')];
      throw error;
    }
  },
  async handle(input, call, change) {
    const grant = await grantToRetire(change, input, call);
    endDryRun(input);
    deleteGrant(change, grant);
    return nothing;
  },
  /** "RetireGrant" of "Examples of AWS KMS log entries" names the grant in additionalEventData alone. */
  recorded: ({ GrantToken: token, GrantId }, output) => ({
    requestParameters: null,
    responseElements: null,
    additionalEventData: { grantId: token !== undefined && output ? readToken(token).grantId : GrantId },
  }),
};

export const RevokeGrant: KmsOperation<RevokeGrantRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, {
      action: 'RevokeGrant',
      elsewhere: true,
      conditions: notForServices,
    }),
  ],
  async handle(input, call, change) {
    const key = await keyNamed(change, parseKeyId(input.KeyId, call), call.region);
    const grant = await readGrant(change, key, input.GrantId);
    if (!grant) throw noGrant(input.GrantId);
    endDryRun(input);
    deleteGrant(change, grant);
    return nothing;
  },
};
