import { pino, type Logger as PinoLogger, type DestinationStream } from 'pino';
import { openLogDestination } from './log-destination.ts';

/** The structured log. One JSON line an event, on standard error; members named after secrets are blanked. */
export type Logger = PinoLogger;

const secretMembers = [
  'secret',
  'secretAccessKey',
  'SecretAccessKey',
  'sessionToken',
  'SessionToken',
  'authorization',
];

/** What waits when the process ends is written then, as far as it can be. */
function standardError(): DestinationStream {
  const destination = openLogDestination(2);
  process.on('exit', () => destination.flush());
  return destination;
}

/** Opens the log. `level` as pino's; `destination` is standard error unless told otherwise. */
export function openLog(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      redact: { paths: secretMembers.flatMap((name) => [name, `*.${name}`]), censor: '[hidden]' },
    },
    destination ?? standardError(),
  );
}

/** A log that says nothing, for tests. */
export const silentLog: Logger = pino({ level: 'silent' });
