import {
  checkedTiles,
  checkProof,
  isConsistent,
  NoteError,
  openCheckpoint,
  openTileProofs,
  readText,
  type OpenedCheckpoint,
  type VerifierKey,
} from '../../trail/proofs/index.ts';
import { connect, type CommandContext } from '../context.ts';
import { exitCodes, usageError, type ExitCode } from '../exit-codes.ts';
import {
  logOfDirectory,
  logOfServer,
  readGiven,
  readKey,
  tilesOf,
  type ReadLogFile,
} from '../proof/log-source.ts';
import type { VerifyProofOptions } from '../proof/proof-options.ts';

async function keysOf(options: VerifyProofOptions): Promise<{ key: VerifierKey; witnesses: VerifierKey[] }> {
  if (options.key === undefined) throw usageError('--key is missing: whom to believe is for you to say');
  const witnesses = await Promise.all((options.witness ?? []).map((given) => readKey(given, '--witness')));
  return { key: await readKey(options.key, '--key'), witnesses };
}

/** Runs a check; what does not hold is one line on standard output, and an exit code of its own. */
async function judged(
  { output }: CommandContext,
  what: string,
  check: () => Promise<readonly string[]>,
): Promise<ExitCode> {
  try {
    await output.result(`${(await check()).join('\n')}\n`);
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    await output.result(`${what}: NOT VALID: ${error.message}\n`);
    return exitCodes.problems;
  }
}

const instant = (seconds: number) => new Date(seconds * 1000).toISOString();

/** Runs `cairn verify --proof` (offline, with the keys alone) and `cairn verify --checkpoints`. */
export function verifyProof(context: CommandContext, options: VerifyProofOptions): Promise<ExitCode> {
  if (options.checkpoints === undefined) return verifyOne(context, options);
  if (options.proof !== undefined) throw usageError('--proof and --checkpoints exclude each other');
  return verifyCheckpoints(context, options);
}

function verifyOne(context: CommandContext, options: VerifyProofOptions): Promise<ExitCode> {
  const { proof = '' } = options;
  return judged(context, proof, async () => {
    const { key, witnesses } = await keysOf(options);
    const text = readText(await readGiven(proof));
    const record = options.record === undefined ? undefined : await readGiven(options.record);
    const { index, checkpoint, sha256, cosigned } = checkProof(text, { key, record, witnesses });
    const what = record ? 'the record' : `the record with the SHA-256 ${Buffer.from(sha256).toString('hex')}`;
    return [
      `${proof}: valid: ${what} is entry ${index} of ${checkpoint.size} in the log ${checkpoint.origin}`,
      ...cosigned.map(
        ({ name, time }) => `${proof}: the witness ${name} cosigned the log at ${instant(time)}`,
      ),
    ];
  });
}

async function readCheckpoint(file: string, key: VerifierKey): Promise<OpenedCheckpoint> {
  const text = readText(await readGiven(file));
  try {
    return openCheckpoint(text, key);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new NoteError(`${file}: ${error.message}`);
  }
}

async function compare(
  older: OpenedCheckpoint,
  newer: OpenedCheckpoint,
  readLog: ReadLogFile,
): Promise<readonly string[]> {
  if (older.size > newer.size) {
    throw new NoteError(
      `the first checkpoint has ${older.size} entries and the second ${newer.size}: name the older first`,
    );
  }
  if (older.size === newer.size) {
    if (isConsistent(older, newer, []))
      return [`valid: both checkpoints are of the same ${older.size} entries`];
    throw new NoteError(
      `both checkpoints are of ${older.size} entries, and not the same ones: the log shows two faces`,
    );
  }
  // Tiles that were changed are found and named before the proof is made, so what does not hold then is the log itself.
  const proofs = openTileProofs(checkedTiles(tilesOf(readLog), newer), newer.size);
  if (!isConsistent(older, newer, await proofs.consistency(older.size))) {
    throw new NoteError(
      `the log of ${newer.size} entries does not begin with the log of ${older.size}: entries were changed or taken away`,
    );
  }
  return [`valid: the log of ${newer.size} entries begins with the log of ${older.size} entries`];
}

/** Runs `cairn verify --checkpoints OLD NEW`: the tiles come from the server, or from a directory with `--tiles`. */
function verifyCheckpoints(context: CommandContext, options: VerifyProofOptions): Promise<ExitCode> {
  const [first, second, ...more] = options.checkpoints ?? [];
  if (first === undefined || second === undefined || more.length > 0)
    throw usageError('--checkpoints takes two files: OLD NEW');
  return judged(context, `${first} → ${second}`, async () => {
    const { key } = await keysOf(options);
    const [older, newer] = [await readCheckpoint(first, key), await readCheckpoint(second, key)];
    if (options.tiles !== undefined) return compare(older, newer, logOfDirectory(options.tiles));
    const connection = connect(context, options, 8);
    try {
      return await compare(older, newer, logOfServer(connection, context.signal));
    } finally {
      connection.close();
    }
  });
}
