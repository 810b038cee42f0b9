import { beforeEach, expect } from 'vitest';

/** Fails tests without assertions. Concurrent tests are exempt, as their assertions cannot be counted separately. */
beforeEach(({ task }) => {
  if (task.concurrent !== true) expect.hasAssertions();
});
