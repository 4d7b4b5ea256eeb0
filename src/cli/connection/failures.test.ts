import { describe, expect, it } from 'vitest';
import { exitCodes } from '../exit-codes.ts';
import { accessFailure, describeFailure, explainConnectionError, readFailure } from './failures.ts';

const body = (value: unknown) => Buffer.from(JSON.stringify(value));

describe('readFailure', () => {
  it('reads what AWS protocols answer', () => {
    const restJson = readFailure(
      400,
      { 'x-amzn-errortype': 'ValidationException:http://internal/', 'x-amzn-requestid': 'r1' },
      body({ message: 'no' }),
    );
    expect(restJson).toEqual({ status: 400, code: 'ValidationException', message: 'no', requestId: 'r1' });
    expect(readFailure(403, {}, body({ __type: 'ns#AccessDenied', Message: 'm' }))).toMatchObject({
      code: 'AccessDenied',
      message: 'm',
    });
    expect(readFailure(422, {}, body({ reason: 'no Records' })).message).toBe('no Records');
    expect(describeFailure(readFailure(502, {}, Buffer.from('<html>')))).toBe('HTTP 502');
  });

  it('does not let an answer act on the terminal', () => {
    expect(describeFailure(readFailure(400, {}, body({ message: '\u001b[2J' })))).not.toContain('\u001b');
  });
});

describe('accessFailure', () => {
  it.each([
    [403, 'InvalidClientTokenId', exitCodes.noAccess],
    [403, 'AccessDenied', exitCodes.noAccess],
    [400, 'ExpiredToken', exitCodes.noAccess],
    [400, 'ValidationException', exitCodes.usage],
    [404, undefined, exitCodes.serverFailed],
    [500, 'InternalFailure', exitCodes.serverFailed],
    [503, 'ServiceUnavailable', exitCodes.serverFailed],
  ])('%i %s ends with %i', (status, code, exitCode) => {
    const failure = { status, code, message: 'm', requestId: undefined };
    expect(accessFailure(failure, 'profile x').exitCode).toBe(exitCode);
  });

  it('says where credentials came from that the server does not know', () => {
    const failure = { status: 403, code: 'InvalidClientTokenId', message: 'm', requestId: undefined };
    expect(accessFailure(failure, 'profile x').message).toContain('came from profile x');
  });
});

describe('explainConnectionError', () => {
  it.each([
    ['ECONNREFUSED', 'no Cairn listens at http://127.0.0.1:1'],
    ['ENOTFOUND', 'the host name of http://127.0.0.1:1 is unknown'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'AWS_CA_BUNDLE'],
    ['EPIPE', 'the connection to http://127.0.0.1:1 failed: broken'],
  ])('%s in plain words', (code, words) => {
    const cause = Object.assign(new Error('broken'), { code });
    expect(explainConnectionError(new URL('http://127.0.0.1:1'), cause)).toContain(words);
  });
});
