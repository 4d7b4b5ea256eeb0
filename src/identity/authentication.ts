import { AwsFault, limits, type Clock } from '../kernel/index.ts';
import type { State, StateView } from '../state/index.ts';
import type { Credential, FindCredential, Principal, Session } from '../wire/index.ts';
import { assumedRoleArn, roleArn, rootArn, userArn } from './arns.ts';
import { defaultDocument, findPolicy } from './attachments.ts';
import {
  keys,
  read,
  type AccessKeyDocument,
  type AccountDocument,
  type RoleDocument,
  type UserDocument,
} from './documents.ts';
import type { MasterKey } from './master-key.ts';
import { openSession, type KeySession, type RoleSession } from './session-token.ts';
import { openStateCache } from './state-cache.ts';

/** Finds out whose access key a request carries. */
export interface Authentication {
  readonly findCredential: FindCredential;
  [Symbol.dispose](): void;
}

const invalidToken = (): AwsFault =>
  new AwsFault('InvalidClientTokenId', 'The security token included in the request is invalid.', {
    status: 403,
  });

const expiredToken = (): AwsFault =>
  new AwsFault('ExpiredToken', 'The security token included in the request is expired', { status: 403 });

/** An active long-term key and whom it stands for; undefined otherwise. */
async function longTermKey(
  view: StateView,
  accessKeyId: string,
): Promise<{ readonly key: AccessKeyDocument; readonly principal: Principal } | undefined> {
  const key = await read<AccessKeyDocument>(view, keys.accessKey(accessKeyId));
  if (key?.status !== 'Active') return undefined;
  const { accountId } = key;
  if (key.user === undefined) {
    const alias = (await read<AccountDocument>(view, keys.account(accountId)))?.alias;
    const named = alias === undefined ? {} : { accountAlias: alias };
    return { key, principal: { type: 'Root', accountId, arn: rootArn(accountId), ...named, accessKeyId } };
  }
  const user = await read<UserDocument>(view, keys.user(accountId, key.user));
  if (!user) return undefined;
  const arn = userArn(accountId, user.path, user.name);
  return {
    key,
    principal: { type: 'IAMUser', accountId, arn, principalId: user.id, userName: user.name, accessKeyId },
  };
}

/** GetSessionToken's credentials stand for the user or root whose key asked for them, as long as that key is active. */
async function keySessionPrincipal(
  view: StateView,
  accessKeyId: string,
  session: KeySession,
): Promise<Principal | undefined> {
  const parent = await longTermKey(view, session.parentAccessKeyId);
  if (!parent || parent.principal.type === 'AssumedRole') return undefined;
  const { issuedAt, expiresAt } = session;
  return { ...parent.principal, accessKeyId, session: { issuedAt, expiresAt, mfaAuthenticated: false } };
}

/**
 * The session policies' texts. Managed ones are read as they are now; one that is no more allows nothing, so that
 * deleting a policy never widens a session.
 */
async function policiesOf(view: StateView, session: RoleSession): Promise<readonly string[]> {
  const managed: string[] = [];
  for (const arn of session.policyArns ?? []) {
    const policy = await findPolicy(view, session.accountId, arn);
    managed.push(policy ? defaultDocument(policy) : nothingAllowed);
  }
  return session.policy === undefined ? managed : [session.policy, ...managed];
}

const nothingAllowed = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Deny', Action: '*', Resource: '*' },
});

async function roleSessionPrincipal(
  view: StateView,
  accessKeyId: string,
  session: RoleSession,
): Promise<Principal | undefined> {
  const { accountId, sessionName } = session;
  const role = await read<RoleDocument>(view, keys.role(accountId, session.roleName));
  if (role?.id !== session.roleId) return undefined;
  const policies = await policiesOf(view, session);
  const facts: Session = {
    issuedAt: session.issuedAt,
    expiresAt: session.expiresAt,
    mfaAuthenticated: false,
    ...(session.sourceIdentity === undefined ? {} : { sourceIdentity: session.sourceIdentity }),
    ...(session.tags ? { tags: Object.fromEntries(session.tags) } : {}),
    ...(session.transitiveTagKeys ? { transitiveTagKeys: session.transitiveTagKeys } : {}),
    ...(policies.length > 0 ? { policies } : {}),
  };
  return {
    type: 'AssumedRole',
    accountId,
    arn: assumedRoleArn(accountId, role.name, sessionName),
    principalId: `${role.id}:${sessionName}`,
    accessKeyId,
    role: { arn: roleArn(accountId, role.path, role.name), principalId: role.id, name: role.name },
    session: facts,
  };
}

/**
 * Opens authentication. A key that is made inactive or deleted, a role or user that is deleted, and a changed session
 * policy count from the next request on. GetSessionToken's credentials end with the key that asked for them, which
 * is stricter than AWS.
 */
export function openAuthentication(options: {
  readonly state: Pick<State, 'get' | 'list' | 'count' | 'onChange'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly masterKey: MasterKey;
}): Authentication {
  const { state, clock, masterKey } = options;
  const cache = openStateCache<Credential>(state, limits.credentialCacheEntries);

  async function loadKey(accessKeyId: string): Promise<Credential> {
    const found = await longTermKey(state, accessKeyId);
    if (!found) throw invalidToken();
    const secretAccessKey = masterKey.openSecret(found.key.secret, keys.accessKey(accessKeyId));
    return { accessKeyId, secretAccessKey, principal: found.principal };
  }

  async function loadSession(accessKeyId: string, token: string): Promise<Credential> {
    const session = openSession(masterKey.sessions, accessKeyId, token);
    if (!session) throw invalidToken();
    // Said before anything else is looked up: an expired token is expired, whatever became of its role.
    if (clock.now() >= session.expiresAt) throw expiredToken();
    const principal =
      session.kind === 'key'
        ? await keySessionPrincipal(state, accessKeyId, session)
        : await roleSessionPrincipal(state, accessKeyId, session);
    if (!principal) throw invalidToken();
    return { accessKeyId, secretAccessKey: session.secretAccessKey, principal };
  }

  return {
    async findCredential(accessKeyId, sessionToken) {
      // What is not of an access key id's form never becomes part of a document key.
      if (!/^\w{16,128}$/.test(accessKeyId)) throw invalidToken();
      if (sessionToken === undefined) {
        return cache.get(accessKeyId, () => loadKey(accessKeyId));
      }
      const load = () => loadSession(accessKeyId, sessionToken);
      const credential = await cache.get(`${accessKeyId} ${sessionToken}`, load);
      const { session } = credential.principal;
      if (session && clock.now() >= session.expiresAt) throw expiredToken();
      return credential;
    },
    [Symbol.dispose]: () => cache[Symbol.dispose](),
  };
}
