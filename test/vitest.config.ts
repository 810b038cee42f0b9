import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/asserting.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Twice the cores of CI: end-to-end tests mostly wait.
    maxWorkers: 4,
    maxConcurrency: 3,
    // The built program is loaded as Node does it.
    server: { deps: { external: [/\/dist\//] } },
  },
});
