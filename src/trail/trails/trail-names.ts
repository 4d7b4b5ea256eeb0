import { AwsFault, formatArn, isAccountId, isRegion, parseArn } from '../../kernel/index.ts';

const shortest = 3;
const longest = 128;

export function trailArn(accountId: string, region: string, name: string): string {
  return formatArn('cloudtrail', region, accountId, `trail/${name}`);
}

function nameProblem(name: string): string | undefined {
  if (name.length < shortest) {
    return `Trail name too short. Minimum allowed length: ${shortest} characters. Specified name length: ${name.length} characters.`;
  }
  if (name.length > longest) {
    return `Trail name too long. Maximum allowed length: ${longest} characters. Specified name length: ${name.length} characters.`;
  }
  if (!/^[A-Za-z0-9._-]+$/.test(name)) {
    return 'Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).';
  }
  if (!/^[A-Za-z0-9]/.test(name)) return 'Trail name must starts with a letter or number.';
  if (!/[A-Za-z0-9]$/.test(name)) return 'Trail name must ends with a letter or number.';
  if (/[._-]{2}/.test(name)) return 'Trail name cannot have adjacent periods, underscores or dashes.';
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(name)) return 'Trail name cannot be in IP address format.';
  return undefined;
}

/** Throws InvalidTrailNameException ("Naming requirements for CloudTrail resources"). */
export function checkTrailName(name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new AwsFault('InvalidTrailNameException', problem);
}

/** A trail as a caller names it. */
export type TrailReference =
  | { readonly kind: 'name'; readonly name: string }
  | {
      readonly kind: 'arn';
      readonly arn: string;
      readonly accountId: string;
      readonly region: string;
      readonly name: string;
    };

export function invalidArn(arn: string): AwsFault {
  return new AwsFault(
    'CloudTrailARNInvalidException',
    `${arn} is not a valid ARN of CloudTrail, such as arn:aws:cloudtrail:us-east-2:123456789012:trail/MyTrail.`,
  );
}

/** Reads a name or an ARN. Throws InvalidTrailNameException, or CloudTrailARNInvalidException for a broken ARN. */
export function parseTrailReference(text: string): TrailReference {
  if (!text.startsWith('arn:')) {
    checkTrailName(text);
    return { kind: 'name', name: text };
  }
  const arn = parseArn(text);
  const [, name] = /^trail\/([^/]+)$/.exec(arn?.resource ?? '') ?? [];
  const isTrail =
    arn?.partition === 'aws' &&
    arn.service === 'cloudtrail' &&
    isRegion(arn.region) &&
    isAccountId(arn.accountId) &&
    name !== undefined &&
    nameProblem(name) === undefined;
  if (!isTrail) throw invalidArn(text);
  return { kind: 'arn', arn: text, accountId: arn.accountId, region: arn.region, name };
}
