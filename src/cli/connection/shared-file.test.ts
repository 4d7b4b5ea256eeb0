import { describe, expect, it } from 'vitest';
import { readSharedProfile } from './shared-file.ts';

describe('readSharedProfile', () => {
  it('reads a profile among others, past comments and blanks', () => {
    const text = `# made by hand
[other]
aws_access_key_id = AKIAOTHER
aws_secret_access_key = no

[ default ]
; a comment
AWS_ACCESS_KEY_ID=AKIAMINE
  aws_secret_access_key = a/b+c=d\r
region = eu-central-1
aws_session_token =
`;
    expect(readSharedProfile(text, 'default')).toEqual({
      accessKeyId: 'AKIAMINE',
      secretAccessKey: 'a/b+c=d',
      sessionToken: undefined,
      region: 'eu-central-1',
    });
    expect(readSharedProfile(text, 'other')?.accessKeyId).toBe('AKIAOTHER');
  });

  it('gives nothing for a profile that is absent or lacks a key', () => {
    expect(readSharedProfile('[default]\naws_access_key_id = AKIA', 'default')).toBeUndefined();
    expect(readSharedProfile('[a]\naws_access_key_id=A\naws_secret_access_key=B', 'default')).toBeUndefined();
    expect(readSharedProfile('', 'default')).toBeUndefined();
  });
});
