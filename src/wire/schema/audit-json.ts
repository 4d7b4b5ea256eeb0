import type { Member, Shape } from './shape.ts';

/** How a service writes its requests and answers into CloudTrail's records. */
export interface AuditStyle {
  /** `Aug 1, 2024 1:33:28 PM`, or `Aug 1, 2024, 11:45:22 AM` with the second comma. */
  readonly date: 'comma' | 'no comma';
  /** Sensitive members are left out, or stand as HIDDEN_DUE_TO_SECURITY_REASONS. */
  readonly sensitive: 'left out' | 'hidden';
  /** Members that are hidden although the model does not mark them. */
  readonly hidden: readonly string[];
}

const hidden = 'HIDDEN_DUE_TO_SECURITY_REASONS';

/**
 * Turns an input or output into the form of CloudTrail's requestParameters and responseElements, as records of real
 * accounts show it: the first letter of each member's name in lower case (`TrailARN` → `trailARN`, `SSHPublicKey` →
 * `sSHPublicKey`), keys of maps as they are, times in US form and UTC, bytes and streams left out, sensitive members
 * left out or hidden. Undefined when nothing remains: the record then has null.
 */
export function toAuditJson(
  shape: Shape,
  value: unknown,
  style: AuditStyle,
): Readonly<Record<string, unknown>> | undefined {
  const written = write(shape, value, style);
  if (typeof written !== 'object' || written === null || Object.keys(written).length === 0) return undefined;
  return written as Readonly<Record<string, unknown>>;
}

function write(shape: Shape, value: unknown, style: AuditStyle): unknown {
  if (value === null || value === undefined) return undefined;
  switch (shape.kind) {
    case 'unit':
      return undefined;
    case 'blob':
      return undefined;
    case 'structure': {
      const result: Record<string, unknown> = {};
      for (const member of shape.members) {
        const entry = writeMember(member, (value as Readonly<Record<string, unknown>>)[member.name], style);
        if (entry !== undefined) result[auditName(member.name)] = entry;
      }
      return result;
    }
    case 'list':
      return (value as readonly unknown[]).flatMap((element) => {
        const entry = writeMember(shape.element, element, style);
        return entry === undefined ? [] : [entry];
      });
    case 'map': {
      const result = Object.create(null) as Record<string, unknown>;
      const hideKeys = shape.key.sensitive;
      for (const [key, element] of Object.entries(value)) {
        const entry = writeMember(shape.value, element, style);
        if (entry !== undefined) result[hideKeys ? hidden : key] = entry;
      }
      return result;
    }
    case 'timestamp':
      return writeDate(value as Date, style);
    case 'bigInteger':
    case 'bigDecimal':
    case 'string':
      // Numbers too large for JSON's readers go as text.
      return `${value as string | bigint}`;
    case 'boolean':
    case 'number':
    case 'document':
      return value;
  }
}

function writeMember(member: Member, value: unknown, style: AuditStyle): unknown {
  if (value === null || value === undefined) return undefined;
  if (member.sensitive) return style.sensitive === 'hidden' ? hidden : undefined;
  if (style.hidden.includes(member.name)) return hidden;
  if (member.shape.kind === 'structure' && member.eventPayload) return undefined;
  return write(member.shape, value, style);
}

/** The member's name as CloudTrail writes it. */
export function auditName(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function writeDate(time: Date, style: AuditStyle): string {
  const hour = time.getUTCHours();
  const day = `${months[time.getUTCMonth()]} ${time.getUTCDate()}, ${time.getUTCFullYear()}`;
  const clock = `${hour % 12 === 0 ? 12 : hour % 12}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())}`;
  return `${day}${style.date === 'comma' ? ',' : ''} ${clock} ${hour < 12 ? 'AM' : 'PM'}`;
}
