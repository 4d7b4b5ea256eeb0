import { resourcePattern } from './resource-pattern.ts';
import type { JsonNode } from './json-text.ts';
import { syntaxProblem, type Report } from './problems.ts';
import { readTokens, type TextPattern, type Token } from './text-pattern.ts';

const iamPaths = [
  'user/',
  'federated-user/',
  'role/',
  'group/',
  'instance-profile/',
  'mfa/',
  'server-certificate/',
  'policy/',
  'sms-mfa/',
  'saml-provider/',
  'oidc-provider/',
  'report/',
  'access-report/',
];

/** What IAM says of a resource that is not `*`; undefined when it has nothing to say. */
function problemOf(resource: string): string | undefined {
  const [arn, partition = '', service, region, account, ...rest] = resource.split(':');
  if (arn !== 'arn' || service === undefined) return `Resource ${resource} must be in ARN format or "*".`;
  if (!/^(?:aws(?:-[a-z]+)*|[a-z-]*\*)$/.test(partition)) {
    return `Partition "${partition}" is not valid for resource "${resource}".`;
  }
  if (region === undefined || service === '' || /[*?]/.test(service)) {
    return 'Resource vendor must be fully qualified and cannot contain regexes.';
  }
  const ending = rest.join(':');
  if (service === 's3' && region !== '' && account === '') {
    return `Resource ${resource} can not contain region information.`;
  }
  if (service === 'iam' && region !== '' && !region.includes('*')) {
    return `IAM resource ${resource} cannot contain region information.`;
  }
  // An ARN that is cut short is one only if a star stands for what is missing.
  if (rest.length === 0) {
    return resource.endsWith('*') ? undefined : `Resource ${resource} must be in ARN format or "*".`;
  }
  if (service === 'iam' && ending !== '*' && !iamPaths.some((path) => ending.startsWith(path))) {
    return `IAM resource path must either be "*" or start with ${iamPaths.join(', ')}.`;
  }
  return undefined;
}

/** Variables may stand for the resource alone, not for what is before the fifth colon of its ARN. */
function hasEarlyVariable(tokens: readonly Token[]): boolean {
  let colons = 0;
  return tokens.some((token) => {
    if (typeof token === 'string') colons += token.split(':').length - 1;
    return typeof token === 'object' && colons < 5;
  });
}

/** Reads a Resource or NotResource element. Sources: "IAM JSON policy elements: Resource", and IAM's own messages. */
export function parseResources(node: JsonNode, variables: boolean, report: Report): readonly TextPattern[] {
  const nodes = node.kind === 'array' ? node.items : [node];
  if (nodes.length === 0) {
    const message = 'Policy statement must contain resources.';
    report({ rank: 'resources', message, detail: 'a Resource element without any resource' });
  }
  return nodes.flatMap((item) => {
    if (item.kind !== 'string') {
      report(syntaxProblem('Resource takes a string or a list of strings'));
      return [];
    }
    const read = readTokens(item.text, { variables, wildcards: true });
    if (read.kind === 'broken') {
      report(syntaxProblem(read.reason));
      return [];
    }
    const message = item.text === '*' ? undefined : problemOf(item.text);
    if (hasEarlyVariable(read.tokens)) {
      report(syntaxProblem(`"${item.text}" has a policy variable before the fifth colon`));
    } else if (message !== undefined) report({ rank: 'arn', message, detail: `the resource "${item.text}"` });
    return [resourcePattern(item.text, read.tokens)];
  });
}
