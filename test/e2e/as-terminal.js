/*
 * Loaded before the program: its streams look like the one terminal behind all three of them, of the size that
 * SCREEN_COLUMNS and SCREEN_ROWS say. All that it writes goes to stderr, in order.
 */
const { stderr, stdin } = process;
const size = {
  columns: Number(process.env.SCREEN_COLUMNS),
  rows: Number(process.env.SCREEN_ROWS),
};
for (const [name, value] of Object.entries({ isTTY: true, ...size }))
  Object.defineProperty(stderr, name, { value });
Object.defineProperty(stdin, 'isTTY', { value: true });
Object.defineProperty(process, 'stdout', { get: () => stderr });
