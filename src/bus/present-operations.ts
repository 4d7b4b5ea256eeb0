import { assert } from '../kernel/index.ts';
import type { Change } from '../state/index.ts';
import type { Operation, Operations } from '../wire/index.ts';

/**
 * What is said of the operations before their code is loaded, at the first call of one: they and what they stand on are a
 * twentieth of the start's processor time, and many a Cairn has no rules. A test holds it to what they declare.
 */
const reads = [
  'DescribeApiDestination',
  'DescribeConnection',
  'DescribeEventBus',
  'DescribeRule',
  'ListApiDestinations',
  'ListConnections',
  'ListEventBuses',
  'ListRuleNamesByTarget',
  'ListRules',
  'ListTagsForResource',
  'ListTargetsByRule',
  'TestEventPattern',
] as const;
const writes = [
  'CreateApiDestination',
  'CreateConnection',
  'CreateEventBus',
  'DeauthorizeConnection',
  'DeleteApiDestination',
  'DeleteConnection',
  'DeleteEventBus',
  'DeleteRule',
  'DisableRule',
  'EnableRule',
  'PutEvents',
  'PutPermission',
  'PutRule',
  'PutTargets',
  'RemovePermission',
  'RemoveTargets',
  'TagResource',
  'UntagResource',
  'UpdateApiDestination',
  'UpdateConnection',
  'UpdateEventBus',
] as const;
/** Operations whose records show resources and parameters of calls that were denied as well. */
const shownWhenDenied = new Set<string>(['PutEvents']);

/** The operations that are present; `load` is called once, at the first call of one of them. */
export function presentOperations(load: () => Promise<Operations<Change>>): Operations<Change> {
  let loading: Promise<Operations<Change>> | undefined;
  let loaded: Operations<Change> | undefined;

  async function find(name: string): Promise<Operation<Change>> {
    loading ??= load();
    loaded = await loading;
    const found = loaded[name];
    if (!found) throw new Error(`there is no operation ${name}`);
    return found;
  }

  const operation = (name: string, access: 'read' | 'write'): Operation<Change> => ({
    access,
    ...(shownWhenDenied.has(name) && { shownWhenDenied: true as const }),
    async needs(input, call) {
      const needed = (await find(name)).needs?.(input, call);
      // One that says none would need no permission at all.
      assert(needed !== undefined, `${name} says which permissions it needs`);
      return needed;
    },
    // Asked for once the call has been made, or was refused by what it needs.
    resources: (input, output, call) => loaded?.[name]?.resources?.(input, output, call) ?? [],
    handle: async (input, call, change) => (await find(name)).handle(input, call, change),
  });
  return Object.fromEntries([
    ...reads.map((name) => [name, operation(name, 'read')] as const),
    ...writes.map((name) => [name, operation(name, 'write')] as const),
  ]);
}
