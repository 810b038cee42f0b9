import { beforeEach, expect } from 'vitest';

/** A test that asserts nothing fails. Assertions are not counted apart for those that run side by side. */
beforeEach(({ task }) => {
  if (task.concurrent !== true) expect.hasAssertions();
});
