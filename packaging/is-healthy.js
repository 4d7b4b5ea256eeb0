// Ends with 0 when the server of the data directory in CAIRN_DATA answers that it is well, over HTTP or HTTPS, wherever it listens.
import { readFileSync } from 'node:fs';
import { request as http } from 'node:http';
import { request as https } from 'node:https';
import { join } from 'node:path';

const end = (isHealthy) => process.exit(isHealthy ? 0 : 1);
const endpoint = readFileSync(join(process.env.CAIRN_DATA || './data', 'endpoint'), 'utf8').trim();
const ask = endpoint.startsWith('https:') ? https : http;
// The certificate names the host that clients use, which is not the one that is asked here.
ask(`${endpoint}/_cairn/health`, { rejectUnauthorized: false, timeout: 2500 }, ({ statusCode }) =>
  end(statusCode === 200),
)
  .on('timeout', () => end(false))
  .on('error', () => end(false))
  .end();
