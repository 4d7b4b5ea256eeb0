import { segmentHeaderBytes, type SegmentName } from './segment-file.ts';

/** How far apart, in bytes, the places are that a segment remembers, so that reading can begin near any entry. */
const placeDistanceBytes = 256 * 1024;

export interface Place {
  readonly offset: number;
  readonly sequence: number;
}

/** A segment file as the open log knows it. The last one grows. */
export interface Segment {
  readonly name: SegmentName;
  readonly path: string;
  /** Where its durable content ends. */
  end: Place;
  /** Places in order, sparse; the first is the first frame. */
  readonly places: Place[];
  /** Trimmed away: that its file is gone is no damage. */
  removed: boolean;
}

export function describeSegment(name: SegmentName, path: string, end: Place): Segment {
  const first = { offset: segmentHeaderBytes, sequence: name.first };
  return { name, path, end, places: [first], removed: false };
}

/** Remembers a place where a frame begins, unless the last one is near. */
export function rememberPlace(segment: Segment, place: Place): void {
  const last = segment.places.at(-1);
  if (!last || place.offset - last.offset >= placeDistanceBytes) segment.places.push(place);
}

/** The last place remembered that is not behind `sequence`. */
export function placeBefore(segment: Segment, sequence: number): Place {
  const found = segment.places.findLast((place) => place.sequence <= sequence);
  return found ?? { offset: segmentHeaderBytes, sequence: segment.name.first };
}
