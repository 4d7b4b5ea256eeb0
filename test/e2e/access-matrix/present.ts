import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings, silentLog, systemClock, systemRandom } from '../../../src/kernel/index.ts';
import { openServer, type CairnServer } from '../../../src/server.ts';

/** What a started server answers, by its own account. Whoever adds an operation or a path is in the matrix by adding it. */
export async function whatIsPresent(): Promise<Pick<CairnServer, 'operations' | 'routes'>> {
  const data = mkdtempSync(join(tmpdir(), 'cairn-matrix-'));
  const settings = readSettings({}, { listen: '127.0.0.1:0', data: join(data, 'data') });
  const parts = { clock: systemClock, random: systemRandom, log: silentLog, version: 'matrix' };
  const server = await openServer(settings, parts);
  await server.close();
  rmSync(data, { recursive: true, force: true });
  return server;
}
