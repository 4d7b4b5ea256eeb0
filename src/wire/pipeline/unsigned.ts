import { limits } from '../../kernel/index.ts';
import { absentOperation } from '../absent-operation.ts';
import { route, takesUnsigned, unrouted, type RoutedOperation } from '../protocol/index.ts';
import { missingToken } from '../sigv4/index.ts';
import type { Pipeline, Progress } from './progress.ts';

/**
 * Refuses a request without a signature. One that AWS would take is told that the operation is absent; all others, and
 * whoever asks for what does not exist, that the signature is missing.
 */
export async function refuseUnsigned<Change>(pipeline: Pipeline<Change>, progress: Progress): Promise<never> {
  const routed = await unsignedOperation(pipeline, progress);
  if (routed) {
    const service = routed.service.description;
    progress.target = routed;
    progress.service = service;
    progress.operationName = routed.operationName;
    throw absentOperation(service, routed.operationName);
  }
  progress.target = await unrouted(pipeline.services, progress.claimed, undefined);
  throw missingToken(progress.target.protocol === 'restXml' ? 's3' : 'aws');
}

async function unsignedOperation<Change>(
  { services }: Pipeline<Change>,
  { claimed, body }: Progress,
): Promise<RoutedOperation | undefined> {
  let routed: RoutedOperation;
  try {
    routed = await route(services, claimed, undefined, () => body.unproven(limits.unsignedBodyBytes));
  } catch {
    return undefined;
  }
  return takesUnsigned(routed.service.description.name, routed.operationName) ? routed : undefined;
}
