import { AwsFault } from '../../kernel/index.ts';

/** What KMS says, in KMS's words. Codes are the names of the error shapes; `wire` puts them on the wire. */

export const notFound = (message: string): AwsFault => new AwsFault('NotFoundException', message);

export const keyNotFound = (arn: string): AwsFault => notFound(`Key '${arn}' does not exist`);

export const aliasNotFound = (arn: string): AwsFault => notFound(`Alias ${arn} is not found.`);

export const keyDisabled = (arn: string): AwsFault =>
  new AwsFault('DisabledException', `${arn} is disabled.`);

export const invalidState = (message: string): AwsFault => new AwsFault('KMSInvalidStateException', message);

export const invalidUsage = (message: string): AwsFault => new AwsFault('InvalidKeyUsageException', message);

export const invalidCiphertext = (): AwsFault =>
  new AwsFault(
    'InvalidCiphertextException',
    'The ciphertext is damaged, or it was made with another encryption context.',
  );

export const unsupported = (message: string): AwsFault =>
  new AwsFault('UnsupportedOperationException', message);

export const limitExceeded = (message: string): AwsFault => new AwsFault('LimitExceededException', message);

export const malformedPolicy = (message: string): AwsFault =>
  new AwsFault('MalformedPolicyDocumentException', message);

/** Common to all services, so not a shape of KMS's own. */
export const validationError = (message: string): AwsFault => new AwsFault('ValidationException', message);
