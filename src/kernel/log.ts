import { pino, type Logger as PinoLogger, type DestinationStream } from 'pino';

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

/** Opens the log. `level` as pino's; `destination` is standard error unless told otherwise. */
export function openLog(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      redact: { paths: secretMembers.flatMap((name) => [name, `*.${name}`]), censor: '[hidden]' },
    },
    destination ?? pino.destination({ dest: 2, sync: false }),
  );
}

/** A log that says nothing, for tests. */
export const silentLog: Logger = pino({ level: 'silent' });
