import { invalidParameter } from './faults.ts';

/** Throws ValidationException for what cannot be the ARN of a role. */
export function checkRoleArn(roleArn: string | undefined): void {
  if (roleArn === undefined || /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(roleArn)) return;
  throw invalidParameter('RoleArn', `${roleArn} is not the ARN of an IAM role.`);
}
