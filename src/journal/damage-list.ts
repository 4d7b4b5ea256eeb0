import type { LogDamage } from '../store/index.ts';

/** The damage that readers were told of since the start, each place once, however many of them meet it. */
export interface DamageList {
  readonly places: readonly LogDamage[];
  add(damage: LogDamage): void;
}

export function openDamageList(): DamageList {
  const places = new Map<string, LogDamage>();
  return {
    get places() {
      return [...places.values()];
    },
    add: (damage) => void places.set(`${damage.offset} ${damage.file}`, damage),
  };
}
