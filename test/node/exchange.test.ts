import { type Dispatcher, errors } from 'undici';
import { afterEach, expect, it, vi } from 'vitest';
import { exchange } from '../../src/node/http-exchange.js';

afterEach(() => {
  vi.useRealTimers();
});

/** Fails every request with the error. */
function failing(error: Error): Dispatcher {
  const dispatch: Dispatcher['dispatch'] = (_request, handler) => {
    handler.onResponseError?.(undefined as never, error);
    return true;
  };
  return { dispatch } as Dispatcher;
}

it.each([
  new errors.ConnectTimeoutError(
    'attempted address: https://user:hidden@api.example/v1?sig=hidden, timeout: 10000ms',
  ),
  new errors.SocketError('other side closed: user:hidden@api.example:443'),
  new AggregateError([new Error("connect to 'http://u:hidden@[::1]:80/it's?token=hidden#hidden' failed")]),
  Object.assign(new Error('proxy socks5://u:hidden@proxy.example:1080 refused'), { code: 'ECONNREFUSED' }),
])('an error of a connection is reported without secrets of a URL: %#', async (error) => {
  const request = { origin: 'https://api.example', path: '/', method: 'GET' } as const;
  const options = { deadlineMs: 1_000, idleDeadlineMs: 1_000, release: () => {}, clean: String };
  const answer = await exchange(failing(error), request, options);
  expect(answer).toMatchObject({ kind: 'no_answer' });
  expect(JSON.stringify(answer)).not.toContain('hidden');
  expect(JSON.stringify(answer)).toMatch(/api\.example|\[::1\]|socks5/);
});

it('a request that is still being sent has the whole time for its headers again, and then no longer', async () => {
  vi.useFakeTimers();
  const silent = { dispatch: () => true } as unknown as Dispatcher;
  const request = { origin: 'https://api.example', path: '/', method: 'PUT' } as const;
  let moved = () => {};
  const options = {
    ...{ deadlineMs: 900_000, headersDeadlineMs: 60_000, idleDeadlineMs: 60_000 },
    sends: (restart: () => void) => {
      moved = restart;
    },
    ...{ release: () => {}, clean: String },
  };
  let answer: unknown = 'none yet';
  void exchange(silent, request, options).then((ended) => {
    answer = ended;
  });
  for (let pieces = 0; pieces < 3; pieces += 1) {
    await vi.advanceTimersByTimeAsync(50_000);
    moved();
  }
  await vi.advanceTimersByTimeAsync(55_000);
  expect(answer).toBe('none yet');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(answer).toMatchObject({ kind: 'no_answer', code: 'DEADLINE' });
});
