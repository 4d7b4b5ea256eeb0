import type {
  DisableKeyRotationRequest,
  EnableKeyRotationRequest,
  GetKeyRotationStatusRequest,
  GetKeyRotationStatusResponse,
  ListKeyRotationsRequest,
  ListKeyRotationsResponse,
  RotateKeyOnDemandRequest,
  RotateKeyOnDemandResponse,
  RotationsListEntry,
} from '@aws-sdk/client-kms';
import { limitExceeded } from '../faults.ts';
import {
  currentMaterial,
  keyArn,
  nextRotation,
  writeKey,
  type KeyDocument,
  type MaterialDocument,
} from '../key-documents.ts';
import { keyNamed, parseKeyId } from '../key-names.ts';
import { needOnNamed } from '../key-needs.ts';
import { checkEnabled, checkNotPending, checkRotatable } from '../key-states.ts';
import { nothing, type KmsOperation, type Nothing } from '../operation.ts';
import { pageOfList } from '../paging.ts';

const usualPeriodDays = 365;
/** "RotateKeyOnDemand": at most so many of one key. */
const onDemandRotations = 25;

export const EnableKeyRotation: KmsOperation<EnableKeyRotationRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, {
      action: 'EnableKeyRotation',
      conditions: { 'kms:RotationPeriodInDays': [String(input.RotationPeriodInDays ?? usualPeriodDays)] },
    }),
  ],
  async handle(input, call, change) {
    const found = await keyNamed(change, parseKeyId(input.KeyId, call), call.region);
    const key = checkRotatable(checkEnabled(found));
    const sinceMs = key.rotation?.sinceMs ?? call.time;
    const periodDays = input.RotationPeriodInDays ?? usualPeriodDays;
    writeKey(change, key, { ...key, rotation: { periodDays, sinceMs } });
    return nothing;
  },
};

export const DisableKeyRotation: KmsOperation<DisableKeyRotationRequest, Nothing> = {
  access: 'write',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, { action: 'DisableKeyRotation' }),
  ],
  async handle(input, call, change) {
    const found = await keyNamed(change, parseKeyId(input.KeyId, call), call.region);
    const { rotation: _, ...key } = checkRotatable(checkEnabled(found));
    writeKey(change, found, key);
    return nothing;
  },
};

export const GetKeyRotationStatus: KmsOperation<GetKeyRotationStatusRequest, GetKeyRotationStatusResponse> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, { action: 'GetKeyRotationStatus', elsewhere: true }),
  ],
  async handle(input, call, change) {
    const key = checkNotPending(await keyNamed(change, parseKeyId(input.KeyId, call), call.region));
    const next = nextRotation(key);
    return {
      KeyId: keyArn(key),
      KeyRotationEnabled: key.rotation !== undefined,
      ...(key.rotation && { RotationPeriodInDays: key.rotation.periodDays }),
      ...(next !== undefined && key.state === 'Enabled' && { NextRotationDate: new Date(next) }),
    };
  },
};

export const RotateKeyOnDemand: KmsOperation<RotateKeyOnDemandRequest, RotateKeyOnDemandResponse> = {
  access: 'write',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, { action: 'RotateKeyOnDemand' }),
  ],
  async handle(input, call, change, { materials }) {
    const found = await keyNamed(change, parseKeyId(input.KeyId, call), call.region);
    const key = checkRotatable(checkEnabled(found));
    const done = key.materials.filter(({ rotation }) => rotation === 'ON_DEMAND').length;
    if (done >= onDemandRotations) {
      throw limitExceeded(
        `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${keyArn(key)}`,
      );
    }
    const material = materials.rotate(key, call.time, 'ON_DEMAND');
    writeKey(change, key, { ...key, materials: [...key.materials, material] });
    return { KeyId: keyArn(key) };
  },
};

function rotationShown(key: KeyDocument, material: MaterialDocument): RotationsListEntry {
  return {
    KeyId: keyArn(key),
    KeyMaterialId: material.id,
    KeyMaterialState: material === currentMaterial(key) ? 'CURRENT' : 'NON_CURRENT',
    ...(material.rotation && {
      RotationDate: new Date(material.createdAt),
      RotationType: material.rotation,
    }),
  };
}

export const ListKeyRotations: KmsOperation<ListKeyRotationsRequest, ListKeyRotationsResponse> = {
  access: 'read',
  needs: async (input, call, view) => [
    await needOnNamed(view, call, input.KeyId, { action: 'ListKeyRotations' }),
  ],
  async handle(input, call, change) {
    const key = checkRotatable(await keyNamed(change, parseKeyId(input.KeyId, call), call.region));
    // A key's first material came by no rotation, and is shown on request.
    const wanted = key.materials.filter(
      ({ rotation }) => rotation !== undefined || input.IncludeKeyMaterial === 'ALL_KEY_MATERIAL',
    );
    const { items, answer } = pageOfList(wanted, input, 100);
    return { Rotations: items.map((material) => rotationShown(key, material)), ...answer };
  },
};
