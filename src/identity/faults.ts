import { AwsFault } from '../kernel/index.ts';
import { quotas, type QuotaName } from './quotas.ts';

/** What IAM says, in IAM's words. Codes are the names of the error shapes; `wire` puts them on the wire. */

export const noSuchEntity = (what: 'user' | 'group' | 'role', name: string): AwsFault =>
  new AwsFault('NoSuchEntityException', `The ${what} with name ${name} cannot be found.`);

export const noSuchInstanceProfile = (name: string): AwsFault =>
  new AwsFault('NoSuchEntityException', `Instance Profile ${name} cannot be found.`);

export const noSuchAccessKey = (accessKeyId: string): AwsFault =>
  new AwsFault('NoSuchEntityException', `The Access Key with id ${accessKeyId} cannot be found.`);

export const alreadyExists = (what: string, name: string): AwsFault =>
  new AwsFault('EntityAlreadyExistsException', `${what} with name ${name} already exists.`);

export const instanceProfileExists = (name: string): AwsFault =>
  new AwsFault('EntityAlreadyExistsException', `Instance Profile ${name} already exists.`);

export const limitExceeded = (quota: QuotaName, subject: string = quota): AwsFault =>
  new AwsFault('LimitExceededException', `Cannot exceed quota for ${subject}: ${quotas[quota]}`);

export const deleteConflict = (message: string): AwsFault => new AwsFault('DeleteConflictException', message);

export const invalidInput = (message: string): AwsFault => new AwsFault('InvalidInputException', message);

export const malformedPolicy = (message: string): AwsFault =>
  new AwsFault('MalformedPolicyDocumentException', message);

/** Common to all services, so not a shape of its own. */
export const validationError = (message: string): AwsFault => new AwsFault('ValidationError', message);

export const accessDenied = (message: string): AwsFault =>
  new AwsFault('AccessDenied', message, { status: 403 });
