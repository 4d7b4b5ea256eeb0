import type { Command } from 'commander';
import type { ConnectionOptions } from '../context.ts';
import { collect } from '../event-filter.ts';

/** What `cairn verify` takes for proofs and checkpoints. */
export interface VerifyProofOptions extends ConnectionOptions {
  readonly proof?: string;
  readonly record?: string;
  readonly key?: string;
  readonly witness?: readonly string[];
  readonly checkpoints?: readonly string[];
  readonly tiles?: string;
}

/** Declares the options of `cairn verify` that are about proofs and checkpoints. */
export function addProofOptions(command: Command): Command {
  return command
    .option('--proof <file>', 'check the proof of an event, offline; needs --key')
    .option('--record <file>', "with --proof: the record's bytes, which must be those that the proof is of")
    .option('--key <key>', 'the verifier key of the log (that of /_cairn/tlog/key), or a file that holds it')
    .option('--witness <key>', 'a witness that must have cosigned: its verifier key, or a file', collect)
    .option(
      '--checkpoints <file...>',
      'OLD NEW: check that the log of NEW begins with that of OLD; needs --key',
    )
    .option('--tiles <directory>', "with --checkpoints: a copy of the log's files, instead of the server");
}

/** Whether the options ask for the check of a proof or of checkpoints, not of log files. */
export function asksForProof(options: VerifyProofOptions): boolean {
  return options.proof !== undefined || options.checkpoints !== undefined;
}
