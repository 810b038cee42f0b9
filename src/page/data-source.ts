import type { PickRequest, ReviewData } from '../review/data.js';

/** Source of the page's data: the program that serves it, or the page itself. */
export interface Source {
  /** Whether picks can be changed. */
  readonly editable: boolean;
  /** Resolves to the newest data; `undefined` if nothing has changed since the last call. */
  load(): Promise<ReviewData | undefined>;
  /** Heights from 0 to 1 of the file's waveform, from beginning to end; `undefined` if there are none. */
  peaksOf(sha256: string): Promise<readonly number[] | undefined>;
  /** URL of the file for an audio element. */
  addressOf(file: { readonly sha256: string; readonly url: string }): string;
  /** Rejects with a message for the user. */
  pick(request: PickRequest): Promise<void>;
}

/** The program on this machine, with paths relative to the page. */
export function servedSource(): Source {
  let tag: string | null = null;
  return {
    editable: true,
    async load() {
      const answer = await window.fetch('data.json', {
        headers: tag === null ? {} : { 'if-none-match': tag },
      });
      if (answer.status === 304) return undefined;
      if (!answer.ok) throw new Error(await answer.text());
      tag = answer.headers.get('etag');
      return (await answer.json()) as ReviewData;
    },
    async peaksOf(sha256) {
      const answer = await window.fetch(`peaks/${sha256}`);
      return answer.ok ? heightsOf(new Uint8Array(await answer.arrayBuffer())) : undefined;
    },
    addressOf: ({ url }) => url,
    async pick(request) {
      const answer = await window.fetch('pick', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
  };
}

/** A report: all data is in the page, and the audio in it or beside it. */
export function writtenSource(data: ReviewData, peaks: Readonly<Record<string, string>>): Source {
  let isNew = true;
  const addresses = new Map<string, string>();
  return {
    editable: false,
    async load() {
      const fresh = isNew ? data : undefined;
      isNew = false;
      return fresh;
    },
    async peaksOf(sha256) {
      const text = peaks[sha256];
      return text === undefined ? undefined : heightsOf(bytesOf(text));
    },
    addressOf({ sha256, url }) {
      const embedded = document.getElementById(`audio-${sha256}`);
      if (embedded === null) return url;
      const known = addresses.get(sha256);
      if (known !== undefined) return known;
      const type = embedded.dataset.mediaType ?? '';
      const address = URL.createObjectURL(new Blob([bytesOf(embedded.textContent)], { type }));
      addresses.set(sha256, address);
      return address;
    },
    pick: () => Promise.reject(new Error('A report cannot be changed.')),
  };
}

function heightsOf(bytes: Uint8Array): readonly number[] {
  return Array.from(bytes, (byte) => byte / 255);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64.replaceAll(/\s/g, '')), (character) => character.charCodeAt(0));
}
