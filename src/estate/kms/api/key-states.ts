import type {
  CancelKeyDeletionRequest,
  CancelKeyDeletionResponse,
  DisableKeyRequest,
  EnableKeyRequest,
  ScheduleKeyDeletionRequest,
  ScheduleKeyDeletionResponse,
} from '@aws-sdk/client-kms';
import { invalidState, validationError } from '../faults.ts';
import { keyArn, writeKey } from '../key-documents.ts';
import { keyNamed, parseKeyId } from '../key-names.ts';
import { needOnNamed } from '../key-needs.ts';
import { checkNotPending } from '../key-states.ts';
import { nothing, type KmsOperation, type Nothing } from '../operation.ts';

const dayMs = 86_400_000;
const windowDays = { least: 7, most: 30, usual: 30 };

export const EnableKey: KmsOperation<EnableKeyRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [await needOnNamed(view, call, input.KeyId, { action: 'EnableKey' })],
  async handle(input, call, change) {
    const key = checkNotPending(await keyNamed(change, parseKeyId(input.KeyId, call), call.region));
    writeKey(change, key, { ...key, state: 'Enabled' });
    return nothing;
  },
};

export const DisableKey: KmsOperation<DisableKeyRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [await needOnNamed(view, call, input.KeyId, { action: 'DisableKey' })],
  async handle(input, call, change) {
    const key = checkNotPending(await keyNamed(change, parseKeyId(input.KeyId, call), call.region));
    writeKey(change, key, { ...key, state: 'Disabled' });
    return nothing;
  },
};

export const ScheduleKeyDeletion: KmsOperation<ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse> = {
  access: 'write',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, {
      action: 'ScheduleKeyDeletion',
      conditions: {
        'kms:ScheduleKeyDeletionPendingWindowInDays': [String(input.PendingWindowInDays ?? windowDays.usual)],
      },
    }),
  ],
  async handle(input, call, change) {
    const days = input.PendingWindowInDays ?? windowDays.usual;
    if (days < windowDays.least || days > windowDays.most) {
      throw validationError(
        `PendingWindowInDays is ${days}; it takes ${windowDays.least} to ${windowDays.most}.`,
      );
    }
    const key = checkNotPending(await keyNamed(change, parseKeyId(input.KeyId, call), call.region));
    const deletionAt = call.time + days * dayMs;
    writeKey(change, key, { ...key, state: 'PendingDeletion', deletionAt });
    return {
      KeyId: keyArn(key),
      DeletionDate: new Date(deletionAt),
      KeyState: 'PendingDeletion',
      PendingWindowInDays: days,
    };
  },
};

export const CancelKeyDeletion: KmsOperation<CancelKeyDeletionRequest, CancelKeyDeletionResponse> = {
  access: 'write',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, { action: 'CancelKeyDeletion' }),
  ],
  async handle(input, call, change) {
    const key = await keyNamed(change, parseKeyId(input.KeyId, call), call.region);
    if (key.state !== 'PendingDeletion') throw invalidState(`${keyArn(key)} is not pending deletion.`);
    const { deletionAt: _, ...kept } = key;
    writeKey(change, key, { ...kept, state: 'Disabled' });
    return { KeyId: keyArn(key) };
  },
};
