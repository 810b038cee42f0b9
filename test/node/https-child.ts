import { createTransport } from '../../src/node/transport.js';

/** Requests `BASE_URL` once over a pooled connection and twice over fresh ones. Prints each result as JSON. */
const { transport, close } = createTransport({
  baseUrl: process.env.BASE_URL ?? '',
  apiKey: 'key-of-the-child',
});
const outcomes: unknown[] = [];
for (const freshConnection of [false, true, true]) {
  const request = { method: 'POST', path: '/x', body: '{}', deadlineMs: 10_000, freshConnection } as const;
  const result = await transport(request);
  if (result.kind === 'no_answer') {
    outcomes.push({ sent: result.sent, code: result.code });
    continue;
  }
  let text = '';
  for await (const piece of result.body) text += Buffer.from(piece).toString('utf8');
  outcomes.push({ status: result.status, text });
}
await close();
process.stdout.write(JSON.stringify(outcomes));
