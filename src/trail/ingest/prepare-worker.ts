import { parentPort } from 'node:worker_threads';
import { assert, AwsFault, serveMessages } from '../../kernel/index.ts';
import { openInputDecoder, openServices } from '../../wire/index.ts';
import { memoryOf } from '../laid-out-records.ts';
import { readyMessage } from '../worker-pool.ts';
import { prepareInput, type PrepareJob, type PrepareResult } from './prepare-input.ts';
import type { PutAuditEventsRequest } from './prepared-events.ts';

/** A worker thread of PutAuditEvents: requests come in undecoded, one at a time, and go back as records. */
assert(parentPort, 'prepare-worker runs as a worker thread');
const port = parentPort;
const decode = openInputDecoder(openServices());

async function prepare({ encoded, sender }: PrepareJob): Promise<PrepareResult> {
  try {
    const request = (await decode(encoded)) as unknown as PutAuditEventsRequest;
    return { kind: 'prepared', input: prepareInput(request, sender) };
  } catch (error) {
    if (!(error instanceof AwsFault)) throw error;
    const { code, message, status } = error;
    return { kind: 'refused', code, message, status };
  }
}

serveMessages(port, (job: PrepareJob) => {
  void prepare(job).then((result) => {
    if (result.kind === 'refused') return port.postMessage(result);
    return port.postMessage(result, memoryOf(result.input.events));
  });
});
port.postMessage(readyMessage);
