import { openAuthorisation } from '../src/identity/index.ts';
import { masterKeyFrom } from '../src/identity/master-key.ts';
import { openKms, type Kms } from '../src/estate/kms/index.ts';
import { region, seededRandom, silentLog, type Region } from '../src/kernel/index.ts';
import type { Call } from '../src/wire/service.ts';
import { openIdentityFixture, type Caller, type IdentityFixture } from './identity-fixture.ts';

/** KMS over real identities in memory: calls are authenticated, authorised, run and committed as the pipeline does. */

type Answer = any; // oxlint-disable-line typescript/no-explicit-any -- answers of all operations stand side by side

export const kmsRegion = region('eu-central-1');

export interface KmsFixture extends AsyncDisposable {
  readonly identity: IdentityFixture;
  readonly kms: Kms;
  /** Calls an operation of KMS; as the management account's root where no caller is given. */
  call(operation: string, input?: unknown, caller?: Caller, inRegion?: Region): Promise<Answer>;
  /** The call that a caller makes now. */
  callOf(caller?: Caller): Promise<Call>;
  /** Makes a key; its id. */
  key(input?: unknown, caller?: Caller): Promise<string>;
}

export async function openKmsFixture(seed = 1): Promise<KmsFixture> {
  await using opening = new AsyncDisposableStack();
  const identity = opening.use(await openIdentityFixture(seed));
  const { state, clock } = identity;
  const random = seededRandom(seed + 1000);
  const authorisation = opening.use(openAuthorisation({ state }));
  const masterKey = masterKeyFrom(random.bytes(32), random);
  const kms = opening.use(openKms({ state, masterKey, ...authorisation, clock, random, log: silentLog }));
  const opened = opening.move();

  const callOf = (caller: Caller = identity.root, inRegion = kmsRegion): Promise<Call> =>
    identity.callOf(caller, { region: inRegion });

  const fixture: KmsFixture = {
    identity,
    kms,
    callOf: (caller) => callOf(caller),
    async call(name, input = {}, caller, inRegion) {
      const operation = kms.operations[name];
      if (!operation) throw new Error(`there is no operation ${name}`);
      const call = await callOf(caller, inRegion);
      await authorisation.authorise(call, (await operation.needs?.(input, call)) ?? []);
      for (;;) {
        const change = state.begin();
        const answer: Answer = await operation.handle(input, call, change);
        if ((await state.commit(change, [])).kind === 'committed') return answer;
      }
    },
    async key(input = {}, caller) {
      const { KeyMetadata } = await fixture.call('CreateKey', input, caller);
      return KeyMetadata.KeyId as string;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return fixture;
}
