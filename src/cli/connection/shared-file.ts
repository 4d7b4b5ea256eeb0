/** A section of an AWS shared-credentials file, such as `[default]`. */
export interface SharedProfile {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly region: string | undefined;
}

/**
 * Reads one profile out of an AWS shared-credentials file ("Configuration and credential file settings" in the AWS CLI
 * user guide). Undefined when the profile is not there or lacks a key.
 */
export function readSharedProfile(text: string, profile: string): SharedProfile | undefined {
  const values = new Map<string, string>();
  let inside = false;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*[#;]/.test(line)) continue;
    const section = /^\s*\[\s*(.+?)\s*\]/.exec(line);
    if (section) {
      inside = section[1] === profile;
      continue;
    }
    const setting = /^\s*([A-Za-z0-9_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (inside && setting) values.set((setting[1] ?? '').toLowerCase(), setting[2] ?? '');
  }
  const accessKeyId = values.get('aws_access_key_id');
  const secretAccessKey = values.get('aws_secret_access_key');
  if (!accessKeyId || !secretAccessKey) return undefined;
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: values.get('aws_session_token') || undefined,
    region: values.get('region') || undefined,
  };
}
