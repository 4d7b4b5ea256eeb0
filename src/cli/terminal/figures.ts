/** Figures as people read them. */

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

/** 1234567 → `1,234,567`. */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** `1 file`, `2 files`. */
export function formatNumberOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const byteUnits = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in steps of 1,000: 1234567 → `1.2 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  return `${value.toFixed(digits)} ${byteUnits[unit] ?? ''}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** A duration of `ms` in its two largest units: `4 s`, `2 min 05 s`, `3 h 10 min`, `2 d 04 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${two(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** A moment (epoch milliseconds) as CloudTrail writes it: `2026-11-22T10:00:00Z`. */
export function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
