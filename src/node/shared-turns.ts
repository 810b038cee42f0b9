/**
 * Calls for a path that is already being worked on share the next turn, because the current one may have missed them.
 */
export function shared(work: (path: string) => Promise<void>): (path: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();
  const start = (path: string): Promise<void> => {
    waiting.delete(path);
    const turn = work(path).finally(() => {
      if (running.get(path) === turn) running.delete(path);
    });
    running.set(path, turn);
    return turn;
  };
  return (path) => {
    const before = running.get(path);
    const next = waiting.get(path) ?? before?.catch(() => {}).then(() => start(path));
    if (next === undefined) return start(path);
    waiting.set(path, next);
    return next;
  };
}
