import type { FileHandle, Files } from '../../src/core/ports.js';

/** Chooses which process does the next disk operation. `ready` is in ascending order, never empty. */
export type Choose = (ready: readonly number[]) => number;

/**
 * Runs several processes on one disk, one operation at a time, in the order that `choose` decides.
 *
 * @param bodies each gets its own view of the disk
 */
export async function interleave(
  files: Files,
  bodies: readonly ((files: Files) => Promise<void>)[],
  choose: Choose,
): Promise<void> {
  const gates = new Map<number, () => void>();
  const faults: unknown[] = [];
  let alive = bodies.length;
  bodies.forEach((body, process) => {
    const gate = () => new Promise<void>((go) => gates.set(process, go));
    void body(gated(files, gate))
      .catch((fault: unknown) => faults.push(fault))
      .finally(() => {
        alive -= 1;
      });
  });
  for (;;) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (alive === 0) break;
    const process = choose([...gates.keys()].sort((a, b) => a - b));
    const go = gates.get(process);
    gates.delete(process);
    go?.();
  }
  if (faults.length > 0) throw faults[0];
}

/**
 * All orders in which a process that could continue is made to wait at most `switchesMax` times. Most races need no
 * more than two.
 *
 * @returns how many orders there were
 */
export async function everyOrder(
  switchesMax: number,
  run: (choose: Choose) => Promise<void>,
): Promise<number> {
  const prefixes: (readonly number[])[] = [[]];
  let runs = 0;
  for (let prefix = prefixes.pop(); prefix !== undefined; prefix = prefixes.pop()) {
    const fixed = prefix;
    const taken: number[] = [];
    let switches = 0;
    await run((ready) => {
      const previous = taken.at(-1);
      const stay = previous !== undefined && ready.includes(previous) ? previous : undefined;
      const step = taken.length;
      const pick = fixed[step] ?? stay ?? ready[0] ?? 0;
      if (stay !== undefined && pick !== stay) switches += 1;
      if (step >= fixed.length && (stay === undefined || switches < switchesMax)) {
        for (const one of ready) if (one !== pick) prefixes.push([...taken, one]);
      }
      taken.push(pick);
      return pick;
    });
    runs += 1;
  }
  return runs;
}

function gated(files: Files, gate: () => Promise<void>): Files {
  const pass = async <T>(operation: () => Promise<T>): Promise<T> => {
    await gate();
    return operation();
  };
  const handle = (inner: FileHandle): FileHandle => ({
    write: (bytes) => pass(() => inner.write(bytes)),
    sync: () => pass(() => inner.sync()),
    close: () => pass(() => inner.close()),
  });
  return {
    read: (path, bytesMax) => pass(() => files.read(path, bytesMax)),
    stream: (path) => files.stream(path),
    facts: (path) => pass(() => files.facts(path)),
    real: (path) => pass(() => files.real(path)),
    list: (directory) => pass(() => files.list(directory)),
    makeDirectory: (path) => pass(() => files.makeDirectory(path)),
    open: async (path, mode) => handle(await pass(() => files.open(path, mode))),
    rename: (from, to) => pass(() => files.rename(from, to)),
    link: (from, to) => pass(() => files.link(from, to)),
    remove: (path) => pass(() => files.remove(path)),
    syncDirectory: (path) => pass(() => files.syncDirectory(path)),
    below: (root) => files.below(root),
  };
}
