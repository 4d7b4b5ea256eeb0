/** An event pattern that EventBridge would refuse. The message is the reason, in EventBridge's words where they are known. */
export class InvalidEventPatternError extends Error {
  override readonly name = 'InvalidEventPatternError';
}

export function refuse(reason: string): never {
  throw new InvalidEventPatternError(reason);
}
