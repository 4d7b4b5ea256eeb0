import { formatArn } from '../kernel/index.ts';

/** ARNs of IAM's resources ("IAM identifiers" in the IAM user guide). They carry the path, and no region. */
const entityArn =
  (kind: string) =>
  (accountId: string, path: string, name: string): string =>
    formatArn('iam', '', accountId, `${kind}${path}${name}`);

export const userArn = entityArn('user');
export const groupArn = entityArn('group');
export const roleArn = entityArn('role');
export const policyArn = entityArn('policy');
export const instanceProfileArn = entityArn('instance-profile');

export const rootArn = (accountId: string): string => formatArn('iam', '', accountId, 'root');

export const assumedRoleArn = (accountId: string, roleName: string, sessionName: string): string =>
  formatArn('sts', '', accountId, `assumed-role/${roleName}/${sessionName}`);
