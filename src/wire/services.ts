import type { ServiceSchema } from './schema/index.ts';
import type { ServiceDescription } from './service.ts';

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
