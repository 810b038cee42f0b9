import { sha256 } from '../media.js';

/** Entries that a process has put without learning whether they were written. */
export interface OpenSlots {
  /** @returns what is wrong with putting these bytes now */
  putting(key: string, bytes: Uint8Array): string | undefined;
  /** What the process learned about a request for the key; `undefined`: nothing. */
  reported(method: string, key: string, bytes: Uint8Array, status: number | undefined): void;
}

export function createOpenSlots(): OpenSlots {
  const open = new Map<string, string>();
  const isEntry = (key: string) => /^log\/\d{8}\.jsonl$/.test(key);
  return {
    putting: (key, bytes) => {
      if (!isEntry(key)) return undefined;
      for (const [other, hash] of open) {
        if (other !== key) return `${key} is put although nobody knows what is in ${other}`;
        if (hash !== sha256(bytes)) return `other bytes are put into ${key} after an answer was lost`;
      }
      return undefined;
    },
    reported: (method, key, bytes, status) => {
      if (!isEntry(key)) return;
      const isKnown = status === 200 || status === 412;
      if (isKnown) open.delete(key);
      else if (method === 'PUT' && (status === undefined || MAYBE.test(String(status))))
        open.set(key, sha256(bytes));
    },
  };
}

/** A proxy's page says nothing either. */
const MAYBE = /^(?:409|5\d\d)$/;
