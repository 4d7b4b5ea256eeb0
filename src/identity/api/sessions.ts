import type {
  AssumeRoleRequest,
  AssumeRoleResponse,
  Credentials,
  GetAccessKeyInfoRequest,
  GetAccessKeyInfoResponse,
  GetCallerIdentityResponse,
  GetSessionTokenRequest,
  GetSessionTokenResponse,
} from '@aws-sdk/client-sts';
import { AwsFault, parseArn, secretAccessKey } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call, Need } from '../../wire/index.ts';
import { accountOfAccessKeyId, newAccessKeyId } from '../access-key-id.ts';
import { assumedRoleArn, roleArn } from '../arns.ts';
import { findPolicy } from '../attachments.ts';
import { keys, read, tagRecord, type AccessKeyDocument, type RoleDocument } from '../documents.ts';
import { accessDenied, malformedPolicy, validationError } from '../faults.ts';
import { onEverything, type Conditions } from '../needs.ts';
import type { Given, IdentityOperation, Nothing, Parts } from '../operation.ts';
import { checkPolicyText, policySize } from '../policy-texts.ts';
import { quotas } from '../quotas.ts';
import { packedSize, sealSession, type SessionContent } from '../session-token.ts';
import { trustPolicyInForce } from '../trust-policies.ts';
import { inheritedTags, sessionTags, type SessionTags } from './session-tags.ts';

const minute = 60;
const hour = 60 * minute;

/** A session's content before its secret is made. */
type Unsealed = SessionContent extends infer Kind
  ? Kind extends SessionContent
    ? Omit<Kind, 'secretAccessKey'>
    : never
  : never;

/** AWS fills session tokens up to a size that is asked for, so that clients can try out large ones. */
function checkTokenSize(size = 0): number {
  if (size >= 0 && size <= 4096) return size;
  throw validationError(`MinimumSessionTokenSize takes 0 to 4096, not ${size}.`);
}

function issue(
  session: Unsealed,
  leastTokenSize: number | undefined,
  { random, masterKey }: Parts,
): Credentials {
  const accessKeyId = newAccessKeyId('ASIA', session.accountId, random);
  const secret = secretAccessKey(random);
  const content: SessionContent = { ...session, secretAccessKey: secret };
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secret,
    SessionToken: sealSession(masterKey.sessions, accessKeyId, content, checkTokenSize(leastTokenSize)),
    Expiration: new Date(session.expiresAt),
  };
}

/** Times are cut to the second, as expirations are shown. */
function lifetime(call: Call, seconds: number): { readonly issuedAt: number; readonly expiresAt: number } {
  const issuedAt = Math.floor(call.time / 1000) * 1000;
  return { issuedAt, expiresAt: issuedAt + seconds * 1000 };
}

function checkSeconds(seconds: number, least: number, most: number): number {
  if (seconds >= least && seconds <= most) return seconds;
  throw validationError(
    `1 validation error detected: Value '${seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value between ${least} and ${most}`,
  );
}

/** MFA devices cannot exist here, so no code can be right. */
function refuseMfa(input: {
  readonly SerialNumber?: string | undefined;
  readonly TokenCode?: string | undefined;
}): void {
  if (input.SerialNumber !== undefined || input.TokenCode !== undefined) {
    throw accessDenied('MultiFactorAuthentication failed with invalid MFA one time pass code.');
  }
}

export const GetCallerIdentity: IdentityOperation<Nothing, GetCallerIdentityResponse> = {
  access: 'read',
  /** Every authenticated caller may ask who they are, whatever policies say. */
  needs: () => [],
  handle(_input, { principal }) {
    const userId = principal.type === 'Root' ? principal.accountId : principal.principalId;
    return Promise.resolve({ UserId: userId, Account: principal.accountId, Arn: principal.arn });
  },
};

export const GetAccessKeyInfo: IdentityOperation<GetAccessKeyInfoRequest, GetAccessKeyInfoResponse> = {
  access: 'read',
  needs: () => onEverything('sts:GetAccessKeyInfo'),
  async handle({ AccessKeyId: accessKeyId }, _call, change) {
    const accessKey = await read<AccessKeyDocument>(change, keys.accessKey(accessKeyId));
    const account = accessKey?.accountId ?? accountOfAccessKeyId(accessKeyId);
    if (account === undefined || !(await change.get(keys.account(account)))) {
      throw validationError(`The access key ID ${accessKeyId} is not one of an account here.`);
    }
    return { Account: account };
  },
};

export const GetSessionToken: IdentityOperation<GetSessionTokenRequest, GetSessionTokenResponse> = {
  access: 'read',
  /** "No permissions are required for users to perform this operation" (API reference of GetSessionToken). */
  needs: () => [],
  issuesCredentials: true,
  async handle(input, call, _change, parts) {
    const { principal } = call;
    if (principal.type === 'AssumedRole' || principal.session) {
      throw accessDenied('Cannot call GetSessionToken with session credentials');
    }
    refuseMfa(input);
    const isRoot = principal.type === 'Root';
    const seconds = checkSeconds(
      input.DurationSeconds ?? (isRoot ? hour : 12 * hour),
      15 * minute,
      36 * hour,
    );
    const session: Unsealed = {
      kind: 'key',
      accountId: call.accountId,
      parentAccessKeyId: principal.accessKeyId,
      ...lifetime(call, isRoot ? Math.min(seconds, hour) : seconds),
    };
    return { Credentials: issue(session, input.MinimumSessionTokenSize, parts) };
  },
};

type AssumeRole = Given<AssumeRoleRequest>;

interface FoundRole {
  readonly accountId: NonNullable<Call['accountId']>;
  readonly role: RoleDocument;
}

async function findRole(view: StateView, arnText: string): Promise<FoundRole | undefined> {
  const arn = parseArn(arnText);
  if (arn?.service !== 'iam' || !arn.resource.startsWith('role/')) {
    throw validationError(`${arnText} is invalid`);
  }
  const name = arn.resource.slice(arn.resource.lastIndexOf('/') + 1);
  const role = await read<RoleDocument>(view, keys.role(arn.accountId, name));
  if (!role || roleArn(arn.accountId, role.path, role.name) !== arnText) return undefined;
  return { accountId: arn.accountId as Call['accountId'], role };
}

/** The source identity of the session; once set, it stays for every role assumed from it. */
function sourceIdentityOf(input: AssumeRole, call: Call): string | undefined {
  const inherited = call.principal.session?.sourceIdentity;
  if (inherited !== undefined && input.SourceIdentity !== undefined && input.SourceIdentity !== inherited) {
    throw validationError('The source identity of the calling session cannot be changed.');
  }
  return inherited ?? input.SourceIdentity;
}

/** What trust policies and callers' policies can ask about the session ("IAM and AWS STS condition context keys"). */
function sessionConditions(
  input: AssumeRole,
  sourceIdentity: string | undefined,
  tags: SessionTags,
): Conditions {
  const requestTags = tags.tags.map(([key, value]) => [`aws:RequestTag/${key}`, [value]] as const);
  return {
    'sts:RoleSessionName': [input.RoleSessionName],
    ...(input.ExternalId === undefined ? {} : { 'sts:ExternalId': [input.ExternalId] }),
    ...(sourceIdentity === undefined ? {} : { 'sts:SourceIdentity': [sourceIdentity] }),
    ...Object.fromEntries(requestTags),
    ...(tags.tags.length > 0 ? { 'aws:TagKeys': tags.tags.map(([key]) => key) } : {}),
    ...(tags.transitiveTagKeys.length > 0 ? { 'sts:TransitiveTagKeys': tags.transitiveTagKeys } : {}),
  };
}

async function assumeRoleNeeds(input: AssumeRole, call: Call, view: StateView): Promise<readonly Need[]> {
  const found = await findRole(view, input.RoleArn);
  const tags = sessionTags(call.principal, input.Tags, input.TransitiveTagKeys);
  const sourceIdentity = sourceIdentityOf(input, call);
  const need: Need = {
    action: 'sts:AssumeRole',
    resource: input.RoleArn,
    resourcePolicyRequired: true,
    ...(found ? { resourcePolicy: trustPolicyInForce(found.role) } : {}),
    conditions: sessionConditions(input, sourceIdentity, tags),
    ...(found && found.role.tags.length > 0 ? { resourceTags: tagRecord(found.role.tags) } : {}),
  };
  return [
    need,
    ...(tags.tags.length > 0 ? [{ ...need, action: 'sts:TagSession' }] : []),
    ...(sourceIdentity === undefined ? [] : [{ ...need, action: 'sts:SetSourceIdentity' }]),
  ];
}

function assumeRoleSeconds(input: AssumeRole, call: Call, role: RoleDocument): number {
  const seconds = checkSeconds(input.DurationSeconds ?? hour, 15 * minute, 12 * hour);
  if (call.principal.type === 'AssumedRole' && seconds > hour) {
    throw validationError(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  if (seconds > role.maxSessionSeconds) {
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  return seconds;
}

/** The policies that limit the session, checked. */
async function sessionPolicies(input: AssumeRole, found: FoundRole, view: StateView) {
  const arns = (input.PolicyArns ?? []).map(({ arn = '' }) => arn);
  if (arns.length > quotas.SessionPolicyArns) {
    throw validationError(`A session can have up to ${quotas.SessionPolicyArns} managed session policies.`);
  }
  for (const arn of arns) {
    if (!(await findPolicy(view, found.accountId, arn))) {
      throw malformedPolicy(`The session policy ${arn} does not exist.`);
    }
  }
  if (input.Policy !== undefined) {
    checkPolicyText(input.Policy, 'session');
    if (policySize(input.Policy) > quotas.SessionPolicySize) {
      throw validationError(
        `A session policy can have up to ${quotas.SessionPolicySize} characters without white space.`,
      );
    }
  }
  return {
    ...(input.Policy === undefined ? {} : { policy: input.Policy }),
    ...(arns.length > 0 ? { policyArns: arns } : {}),
  };
}

function checkAssumeRole(input: AssumeRole, call: Call): void {
  if (call.principal.type === 'Root') throw accessDenied('Roles may not be assumed by root accounts.');
  if (!/^[\w+=,.@-]{2,64}$/.test(input.RoleSessionName)) {
    throw validationError(
      `1 validation error detected: Value '${input.RoleSessionName}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*`,
    );
  }
  if (input.ProvidedContexts?.length) {
    throw validationError('ProvidedContexts is not supported: there are no context providers here.');
  }
  refuseMfa(input);
}

export const AssumeRole: IdentityOperation<AssumeRoleRequest, AssumeRoleResponse> = {
  access: 'read',
  needs: assumeRoleNeeds,
  issuesCredentials: true,
  /** "Example AWS STS role chaining API event in CloudTrail log file". */
  async recorded(input, output, { principal }, show) {
    const { tags } = inheritedTags(principal);
    return {
      requestParameters: {
        ...(tags.length > 0 && { incomingTransitiveTags: Object.fromEntries(tags) }),
        ...((await show('input', input)) as object),
      },
      responseElements: await show('output', output),
    };
  },
  resources: (input) => [
    {
      ARN: input.RoleArn,
      accountId: parseArn(input.RoleArn)?.accountId ?? '',
      type: 'AWS::IAM::Role',
    },
  ],
  async handle(input, call, change, parts) {
    checkAssumeRole(input, call);
    const found = await findRole(change, input.RoleArn);
    if (!found) {
      throw accessDenied(
        `User: ${call.principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${input.RoleArn} because no role trust policy allows the sts:AssumeRole action`,
      );
    }
    const { accountId, role } = found;
    const policies = await sessionPolicies(input, found, change);
    const tags = sessionTags(call.principal, input.Tags, input.TransitiveTagKeys);
    const packed = packedSize({ ...policies, ...tags });
    if (packed > 100) {
      throw new AwsFault(
        'PackedPolicyTooLargeException',
        `Packed policy consumes ${packed}% of allotted space, please use smaller policy.`,
      );
    }
    const sourceIdentity = sourceIdentityOf(input, call);
    const session: Unsealed = {
      kind: 'role',
      accountId,
      roleName: role.name,
      roleId: role.id,
      sessionName: input.RoleSessionName,
      ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
      ...(tags.tags.length > 0 ? tags : {}),
      ...policies,
      ...lifetime(call, assumeRoleSeconds(input, call, role)),
    };
    const isLimited = policies.policy !== undefined || policies.policyArns || tags.tags.length > 0;
    return {
      Credentials: issue(session, input.MinimumSessionTokenSize, parts),
      AssumedRoleUser: {
        AssumedRoleId: `${role.id}:${input.RoleSessionName}`,
        Arn: assumedRoleArn(accountId, role.name, input.RoleSessionName),
      },
      ...(isLimited ? { PackedPolicySize: packed } : {}),
      ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
    };
  },
};
