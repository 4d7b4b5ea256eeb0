import { AwsFault } from '../kernel/index.ts';

/** What EventBridge says, in its words where they are known. Codes are the names of the error shapes; `wire` puts them on the wire. */

export const notFound = (message: string): AwsFault => new AwsFault('ResourceNotFoundException', message);

export const busNotFound = (name: string): AwsFault => notFound(`Event bus ${name} does not exist.`);

export const ruleNotFound = (rule: string, bus: string): AwsFault =>
  notFound(`Rule ${rule} does not exist on EventBus ${bus}.`);

export const alreadyExists = (message: string): AwsFault =>
  new AwsFault('ResourceAlreadyExistsException', message);

export const limitExceeded = (what: string): AwsFault =>
  new AwsFault(
    'LimitExceededException',
    `The requested resource exceeds the maximum number allowed. (${what})`,
  );

/** Common to all services, so not a shape of EventBridge's own. */
export const invalid = (message: string): AwsFault => new AwsFault('ValidationException', message);

export const invalidParameter = (name: string, reason: string): AwsFault =>
  invalid(`Parameter ${name} is not valid. Reason: ${reason}`);

export const invalidPattern = (reason: string): AwsFault =>
  new AwsFault('InvalidEventPatternException', `Event pattern is not valid. Reason: ${reason}`);

/** Refuses a member that asks for what is not built. `without` says what there is instead. */
export function refuseMember(name: string, value: unknown, without: string): void {
  if (value !== undefined && value !== '') throw invalid(`${name} is not supported: ${without}`);
}
