/* How runs on a shared log tell each other that they are alive. */

/** A run that has nothing else to write records at least a sign of life this often. */
export const BEAT_EVERY_MS = 60_000;

/** A run that recorded nothing for this long may be gone: others collect what it bought. */
export const SILENT_MS = 5 * BEAT_EVERY_MS;

/** A run that recorded something within this time is working now, and shares the request limits. */
export const WORKING_MS = 2.5 * BEAT_EVERY_MS;
