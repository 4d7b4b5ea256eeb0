import type { Reader } from '../../journal/index.ts';
import type { Deliveries, DeliveriesOptions } from './open-deliveries.ts';
import { readerName } from './reader-name.ts';

/** Deliveries, loaded once there is something to deliver. */
export interface LazyDeliveries extends AsyncDisposable {
  /** Undefined before. */
  readonly reader: Reader | undefined;
  readonly waiting: number;
  failingFor(ms: number): number;
  /** Says that there is something in the stream. */
  begin(): Promise<Deliveries>;
}

export async function openLazyDeliveries(options: DeliveriesOptions): Promise<LazyDeliveries> {
  const { bus } = options;
  let opening: Promise<Deliveries> | undefined;
  let opened: Deliveries | undefined;

  async function open(): Promise<Deliveries> {
    const { openDeliveries } = await import('./open-deliveries.ts');
    opened = await openDeliveries(options);
    return opened;
  }
  const begin = () => (opening ??= open());

  if (bus.end > (bus.cursorOf(readerName) ?? bus.start)) await begin();
  return {
    get reader() {
      return opened?.reader;
    },
    get waiting() {
      return opened?.waiting ?? 0;
    },
    failingFor: (ms) => opened?.failingFor(ms) ?? 0,
    begin,
    async [Symbol.asyncDispose]() {
      await (await opening)?.[Symbol.asyncDispose]();
    },
  };
}
