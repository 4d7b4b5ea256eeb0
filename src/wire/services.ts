/**
 * The services: which ones the server answers for, under which names, and their schemas, which are loaded at the first
 * use because all of them together take a third of a second and tens of megabytes.
 */
import { compileService, type ServiceSchema } from './schema/index.ts';
import type { ServiceDescription } from './service.ts';
import { descriptions as all } from './services/descriptions.ts';

export { auditStyleOf } from './services/audit-styles.ts';
export { classify, type Classification } from './services/classification.ts';
export { constraintsOf, type Constraint, type ServiceConstraints } from './services/constraints/index.ts';

/** A service whose schema is in memory. */
export interface LoadedService {
  readonly description: ServiceDescription;
  readonly schema: ServiceSchema;
}

/** The services that the server answers for. Each schema is loaded at the first use and kept. */
export interface Services {
  readonly descriptions: readonly ServiceDescription[];
  /** By `ServiceDescription.name`; throws for a name that is not in `descriptions` (a mistake of the program). */
  load(name: string): Promise<LoadedService>;
  /** The services that share this name in the credential scope (`monitoring`, `s3`, …); empty when there is none. */
  signedAs(signingName: string): readonly ServiceDescription[];
}

/** Opens the registry. `descriptions` are the declared services unless a test brings its own. */
export function openServices(descriptions: readonly ServiceDescription[] = all): Services {
  const loading = new Map<string, Promise<LoadedService>>();
  const byName = new Map(descriptions.map((description) => [description.name, description]));
  const bySigningName = Map.groupBy(descriptions, (description) => description.signingName);
  return {
    descriptions,
    signedAs: (signingName) => bySigningName.get(signingName) ?? [],
    load(name) {
      const description = byName.get(name);
      if (!description) throw new Error(`there is no service ${name}`);
      const known = loading.get(name);
      if (known) return known;
      const started = loadService(description);
      loading.set(name, started);
      return started;
    },
  };
}

async function loadService(description: ServiceDescription): Promise<LoadedService> {
  return { description, schema: compileService(await description.load()) };
}

/** What docs/coverage.md is made of: the operations of every declared service, in the order of the alphabet. */
export async function listOperations(
  services: Services,
): Promise<readonly { readonly service: ServiceDescription; readonly operationNames: readonly string[] }[]> {
  const loaded = await Promise.all(services.descriptions.map(({ name }) => services.load(name)));
  return loaded.map(({ description, schema }) => ({
    service: description,
    operationNames: [...schema.operations.keys()].toSorted(),
  }));
}
