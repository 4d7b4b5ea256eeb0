import type { Clock, Logger, Random } from '../../kernel/index.ts';
import type { AuthoriseService, MasterKey } from '../../identity/index.ts';
import type { Change, State } from '../../state/index.ts';
import type { Authorise, Operations } from '../../wire/index.ts';
import * as aliases from './api/aliases.ts';
import * as dataKeys from './api/data-keys.ts';
import * as encryption from './api/encryption.ts';
import * as grants from './api/grants.ts';
import * as keyPolicies from './api/key-policies.ts';
import * as keyStates from './api/key-states.ts';
import * as keys from './api/keys.ts';
import * as rotation from './api/rotation.ts';
import * as signing from './api/signing.ts';
import * as tags from './api/tags.ts';
import type { DataKeys } from './data-keys.ts';
import { openMaterials } from './key-material.ts';
import { openKeyUpkeep } from './key-upkeep.ts';
import { ensureManagedKey } from './managed-keys.ts';
import { openDataKeys } from './open-data-keys.ts';
import { bindOperations } from './operation.ts';

export interface KmsOptions {
  readonly state: State;
  readonly masterKey: Pick<MasterKey, 'cipher'>;
  readonly authorise: Authorise;
  readonly authoriseService: AuthoriseService;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** KMS, put together. Close it before the state. */
export interface Kms extends AsyncDisposable {
  /** The operations that are present, each declared in `api/` under its own name. */
  readonly operations: Operations<Change>;
  readonly dataKeys: DataKeys;
  /** Resolves once every key that is due for deletion or rotation at this moment is deleted or rotated. */
  settle(): Promise<void>;
}

export function openKms(options: KmsOptions): Kms {
  const { state, masterKey, clock, random, log } = options;
  const materials = openMaterials({ cipher: masterKey.cipher('kms/v1'), random });
  const ensureManaged = ({ accountId, region }: { readonly accountId: string; readonly region: string }) =>
    ensureManagedKey({ state, materials, random, log }, { accountId, region }, clock.now());
  const upkeep = openKeyUpkeep({ state, materials, clock, random, log });
  return {
    operations: bindOperations(
      { state, materials, random, clock, ensureManaged },
      {
        ...aliases,
        ...dataKeys,
        ...encryption,
        ...grants,
        ...keyPolicies,
        ...keyStates,
        ...keys,
        ...rotation,
        ...signing,
        ...tags,
      },
    ),
    dataKeys: openDataKeys({ ...options, materials, ensureManaged }),
    settle: () => upkeep.settle(),
    [Symbol.asyncDispose]: () => upkeep[Symbol.asyncDispose](),
  };
}
