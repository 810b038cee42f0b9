import { createServer } from 'node:http';

/** An S3 server in memory that ignores `If-None-Match`, as some do: the last writer of a key wins. */
export async function startCarelessS3(): Promise<{ readonly endpoint: string; stop(): Promise<void> }> {
  const objects = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'PUT') {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      objects.set(url.pathname, Buffer.concat(pieces));
      response.writeHead(200).end();
      return;
    }
    const prefix = url.searchParams.get('prefix');
    if (prefix !== null) {
      const keys = [...objects.keys()].map((path) => path.split('/').slice(2).join('/'));
      const found = keys
        .filter((key) => key.startsWith(prefix))
        .map((key) => `<Contents><Key>${key}</Key></Contents>`);
      response.end(`<ListBucketResult><IsTruncated>false</IsTruncated>${found.join('')}</ListBucketResult>`);
      return;
    }
    const object = objects.get(url.pathname);
    if (object !== undefined) response.end(object);
    else response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
