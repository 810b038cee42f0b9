import { bigEndian, concat, latin1, textAt, utf8, viewOf } from './binary.js';
import { customFields, type Tags, UntaggableError } from './tags.js';

/** Types of `data` boxes. Source: QuickTime File Format, well-known types. */
const DATA = { reserved: 0, text: 1, jpeg: 13, png: 14 } as const;
/** Boxes that contain the offset tables, directly or not. */
const PARENTS: ReadonlySet<string> = new Set([
  'moov',
  'trak',
  'mdia',
  'minf',
  'stbl',
  'moof',
  'traf',
  'mfra',
]);
/** In `tfhd`: the fragment states the offset of its samples from the start of the file. */
const BASE_OFFSET_FLAG = 1;

interface Box {
  readonly type: string;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/**
 * Replaces the tags of an MP4 file (`moov/udta/meta/ilst`, as written by iTunes). The audio's bytes are unchanged. If
 * they move, the offset tables are adjusted. Source: ISO/IEC 14496-12.
 */
export function tagMp4(bytes: Uint8Array, tags: Tags): Uint8Array {
  const top = boxesIn(bytes, 0, bytes.byteLength);
  const movie = top.find(({ type }) => type === 'moov');
  if (movie === undefined) throw new UntaggableError('an MP4 file without an index');
  const kept = boxesIn(bytes, movie.body, movie.end).filter(({ type }) => type !== 'udta');
  const content = concat([...kept.map(({ start, end }) => bytes.subarray(start, end)), userData(tags)]);
  const tagged = concat([bytes.subarray(0, movie.start), box('moov', [content]), bytes.subarray(movie.end)]);
  const growth = tagged.byteLength - bytes.byteLength;
  shiftPlaces(tagged, 0, tagged.byteLength, (place) => (place >= movie.end ? place + growth : place));
  return tagged;
}

function boxesIn(bytes: Uint8Array, from: number, to: number): readonly Box[] {
  const boxes: Box[] = [];
  const view = viewOf(bytes);
  for (let at = from; at + 8 <= to; ) {
    const short = view.getUint32(at);
    const headBytes = short === 1 ? 16 : 8;
    const size = short === 0 ? to - at : short === 1 ? Number(view.getBigUint64(at + 8)) : short;
    if (size < headBytes || at + size > to) throw new UntaggableError('a damaged MP4 file');
    boxes.push({ type: textAt(bytes, at + 4, 4), start: at, body: at + headBytes, end: at + size });
    at += size;
  }
  return boxes;
}

/** Maps every file offset in the tables. */
function shiftPlaces(bytes: Uint8Array, from: number, to: number, shift: (place: number) => number): void {
  const view = viewOf(bytes);
  const long = (at: number) => view.setBigUint64(at, BigInt(shift(Number(view.getBigUint64(at)))));
  const short = (at: number) => {
    const place = shift(view.getUint32(at));
    if (place > 0xffff_ffff) throw new UntaggableError('an MP4 file of more than 4 GiB');
    view.setUint32(at, place);
  };
  for (const { type, body, end } of boxesIn(bytes, from, to)) {
    if (PARENTS.has(type)) shiftPlaces(bytes, body, end, shift);
    if (type === 'stco') for (let at = body + 8; at + 4 <= end; at += 4) short(at);
    if (type === 'co64') for (let at = body + 8; at + 8 <= end; at += 8) long(at);
    if (type === 'tfhd' && (view.getUint32(body) & BASE_OFFSET_FLAG) !== 0) long(body + 8);
    if (type === 'tfra') shiftFragments(view, body, end, { short, long });
  }
}

/** `tfra`: for each fragment its time, its offset, and three numbers whose sizes are in the header. */
function shiftFragments(
  view: DataView,
  body: number,
  end: number,
  { short, long }: Readonly<Record<'short' | 'long', (at: number) => void>>,
): void {
  const wide = view.getUint8(body) === 1;
  const sizes = view.getUint32(body + 8);
  const numbers = ((sizes >> 4) & 3) + ((sizes >> 2) & 3) + (sizes & 3) + 3;
  const step = (wide ? 16 : 8) + numbers;
  for (let at = body + 16; at + step <= end; at += step) (wide ? long : short)(at + (wide ? 8 : 4));
}

function userData(tags: Tags): Uint8Array {
  const handler = box('hdlr', [bigEndian(0, 8), latin1('mdirappl'), bigEndian(0, 9)]);
  return box('udta', [box('meta', [bigEndian(0, 4), handler, box('ilst', items(tags))])]);
}

function items(tags: Tags): readonly Uint8Array[] {
  const texts: readonly (readonly [string, string | undefined])[] = [
    ['\u00a9nam', tags.title],
    ['\u00a9ART', tags.artist],
    ['aART', tags.albumArtist],
    ['\u00a9alb', tags.album],
    ['\u00a9day', tags.date],
    ['\u00a9gen', tags.genre],
    ['cprt', tags.copyright],
    ['\u00a9cmt', tags.comment],
    ['\u00a9lyr', tags.lyrics],
  ];
  const number = concat([
    bigEndian(0, 2),
    bigEndian(tags.track, 2),
    bigEndian(tags.tracks, 2),
    bigEndian(0, 2),
  ]);
  const { cover } = tags;
  const picture = cover && data(cover.mediaType === 'image/png' ? DATA.png : DATA.jpeg, cover.bytes);
  return [
    ...texts.flatMap(([name, text]) =>
      text === undefined ? [] : [box(name, [data(DATA.text, utf8(text))])],
    ),
    box('trkn', [data(DATA.reserved, number)]),
    ...(picture === undefined ? [] : [box('covr', [picture])]),
    ...customFields(tags).map(([name, value]) => freeForm(name, value)),
  ];
}

function freeForm(name: string, value: string): Uint8Array {
  return box('----', [
    box('mean', [bigEndian(0, 4), latin1('com.apple.iTunes')]),
    box('name', [bigEndian(0, 4), utf8(name)]),
    data(DATA.text, utf8(value)),
  ]);
}

function data(kind: number, content: Uint8Array): Uint8Array {
  return box('data', [bigEndian(kind, 4), bigEndian(0, 4), content]);
}

function box(type: string, parts: readonly Uint8Array[]): Uint8Array {
  const content = concat(parts);
  return concat([bigEndian(content.byteLength + 8, 4), latin1(type), content]);
}
