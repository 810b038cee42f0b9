/**
 * Files of which one takes every append, and its sync, at once and keeps nothing: a lockfile whose records cost no
 * disk. What is told of its size is what it would be.
 *
 * @param {import('../../../src/core/ports.js').Files} files
 * @param {string} journal
 */
export function losingAppends(files, journal) {
  let lostBytes = 0;
  const lost = {
    write: async (bytes) => {
      lostBytes += bytes.length;
    },
    sync: async () => {},
    close: async () => {},
  };
  return {
    ...files,
    open: async (opened, mode) => (opened === journal && mode === 'append' ? lost : files.open(opened, mode)),
    facts: async (file) => {
      const facts = await files.facts(file);
      return file === journal && facts !== undefined ? { ...facts, bytes: facts.bytes + lostBytes } : facts;
    },
    rename: async (from, to) => {
      await files.rename(from, to);
      if (to === journal) lostBytes = 0;
    },
  };
}
