import type { Sequence } from '../kernel/index.ts';
import type { DurableChange } from './documents.ts';

/** See FORMAT.md. Values stand in the payload as JSON, so that the journal can be read without this program. */
interface ChangePayload {
  readonly version: 1;
  readonly puts: readonly (readonly [key: string, value: unknown])[];
  readonly deletes: readonly string[];
}

/** A payload of kind `change` that this version cannot read. */
export class ChangeFormatError extends Error {
  override name = 'ChangeFormatError';
}

/** The payload of a `change` entry. `puts` are keys with the JSON text of their values. */
export function encodeChange(puts: ReadonlyMap<string, string>, deletes: readonly string[]): Uint8Array {
  const pairs = Array.from(puts, ([key, json]) => `[${JSON.stringify(key)},${json}]`);
  return Buffer.from(`{"version":1,"puts":[${pairs.join(',')}],"deletes":${JSON.stringify(deletes)}}`);
}

/** Throws ChangeFormatError for a payload that is none, or of a later version. */
export function decodeChange(version: Sequence, payload: Uint8Array): DurableChange {
  let content: ChangePayload;
  try {
    content = JSON.parse(
      Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString(),
    ) as ChangePayload;
  } catch (error) {
    throw new ChangeFormatError(`journal entry ${version} is not a change of the control state`, {
      cause: error,
    });
  }
  if (content.version !== 1) {
    throw new ChangeFormatError(
      `journal entry ${version} is a change of a version that this program does not know`,
    );
  }
  return {
    version,
    puts: content.puts.map(([key, value]) => ({ key, json: JSON.stringify(value) })),
    deletes: content.deletes,
  };
}
