import { isAccountId } from '../../kernel/index.ts';
import type { JsonNode } from './json-text.ts';
import type { PolicyKind, PolicyPrincipal } from './policy-types.ts';
import { syntaxProblem, type Report } from './problems.ts';

const accountArn = /^arn:aws(?:-[a-z]+)*:iam::(\d{12}):root$/;
const entityArn =
  /^arn:aws(?:-[a-z]+)*:(?:iam::\d{12}:(?:user|role)\/|sts::\d{12}:(?:assumed-role\/[^/]+|federated-user)\/)[\w+=,.@/-]+$/;
const uniqueId = /^(?:AIDA|AROA)[A-Z0-9]{12,124}$/;
const sessionId = /^(AROA[A-Z0-9]{12,124}):([\w+=,.@-]+)$/;
const serviceName = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|aws\.internal)$/i;
const providerArn = /^arn:aws(?:-[a-z]+)*:iam::\d{12}:(?:saml-provider|oidc-provider)\/[\w+=,.@:/-]+$/;
const providerDomain = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i;

function readAws(text: string): PolicyPrincipal | undefined {
  if (text === '*') return { type: 'everyone' };
  if (isAccountId(text)) return { type: 'account', accountId: text };
  const account = accountArn.exec(text)?.[1];
  if (account !== undefined) return { type: 'account', accountId: account };
  if (entityArn.test(text)) return { type: 'arn', arn: text };
  if (uniqueId.test(text)) return { type: 'uniqueId', id: text };
  const [, roleId, session] = sessionId.exec(text) ?? [];
  return roleId === undefined || session === undefined
    ? undefined
    : { type: 'sessionId', id: text, roleId, session };
}

/** Principals are named whole: a wildcard in a part of one is refused ("AWS JSON policy elements: Principal"). */
function readOne(type: string, text: string, kind: PolicyKind): PolicyPrincipal | undefined {
  switch (type) {
    case 'AWS':
      return readAws(text);
    case 'Service':
      return serviceName.test(text) ? { type: 'service', name: text.toLowerCase() } : undefined;
    case 'Federated':
      return providerArn.test(text) || providerDomain.test(text)
        ? { type: 'federated', provider: text }
        : undefined;
    case 'CanonicalUser':
      // Only buckets know canonical users.
      return kind === 'resource' && /^[0-9a-f]{64}$/.test(text)
        ? { type: 'canonicalUser', id: text }
        : undefined;
    default:
      return undefined;
  }
}

const types = ['AWS', 'Service', 'Federated', 'CanonicalUser'];

/** Reads a Principal or NotPrincipal element. */
export function parsePrincipals(
  node: JsonNode,
  kind: PolicyKind,
  report: Report,
): readonly PolicyPrincipal[] {
  if (node.kind === 'string' && node.text === '*') return [{ type: 'everyone' }];
  if (node.kind !== 'object') {
    report(syntaxProblem('Principal takes "*" or an object'));
    return [];
  }
  const named = [...node.members].flatMap(([type, value]) => {
    const values = value.kind === 'array' ? value.items : [value];
    if (!types.includes(type) || !values.every((item) => item.kind === 'string')) {
      report(
        syntaxProblem(`Principal has ${types.join(', ')} with a string or a list of them, not "${type}"`),
      );
      return [];
    }
    return values.flatMap(({ text }) => {
      const principal = readOne(type, text, kind);
      if (principal) return [principal];
      const message = `Invalid principal in policy: "${type.toUpperCase()}":"${text}"`;
      report({ rank: 'principal', message, detail: `"${text}" is not a principal of type ${type}` });
      return [];
    });
  });
  if ([...node.members.values()].every((value) => value.kind === 'array' && value.items.length === 0)) {
    const message = 'Missing required field Principal cannot be empty!';
    report({ rank: 'principal', message, detail: 'Principal names nobody' });
  }
  return named;
}
