import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface MemoryS3 {
  /** The bucket is always called `bucket`. */
  readonly endpoint: string;
  readonly environment: Readonly<Record<string, string>>;
  /** By path. */
  readonly objects: Map<string, Buffer>;
  /**
   * From now on every request is refused: with this S3 error code, or, for a number, with that status and the page of a
   * proxy. `undefined` ends that.
   */
  refuse(how: string | number | undefined): void;
  /** From now on requests for audio are accepted, read, and not answered. Resolves at the first one. */
  hangAudio(): Promise<void>;
  answerAudio(): void;
  /** As in a bucket that keeps versions: a delete marker remains. */
  deleteVersioned(path: string): void;
  stop(): Promise<void>;
}

export interface MemoryS3Options {
  /** Ignores `If-None-Match`, as some servers do (s3rver 3.7): the last writer of a key wins. */
  readonly careless?: boolean;
  /** The bucket's lifecycle rules, as XML. */
  readonly lifecycle?: string;
}

/** An in-memory S3 server, for behaviour that cannot be provoked in a real one. */
export async function startMemoryS3({
  careless = false,
  lifecycle,
}: MemoryS3Options = {}): Promise<MemoryS3> {
  const objects = new Map<string, Buffer>();
  const markers = new Set<string>();
  let refusal: string | number | undefined;
  let hung: (() => void) | undefined;
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (hung !== undefined && url.pathname.includes('/audio/')) {
      hung();
      return;
    }
    if (typeof refusal === 'number') response.writeHead(refusal).end('<html>Sign in</html>');
    else if (refusal !== undefined) fail(response, refusal === 'ExpiredToken' ? 400 : 403, refusal);
    else if (request.method === 'PUT') put(request, response, url.pathname, body);
    else if (url.searchParams.has('lifecycle')) {
      if (lifecycle === undefined) fail(response, 404, 'NoSuchLifecycleConfiguration');
      else response.end(lifecycle);
    } else if (url.searchParams.has('list-type')) list(response, url.searchParams.get('prefix') ?? '');
    else get(response, url.pathname, request.method === 'HEAD');
  });

  function put({ headers }: IncomingMessage, response: ServerResponse, path: string, body: Buffer): void {
    if (!careless && headers['if-none-match'] === '*' && objects.has(path)) {
      fail(response, 412, 'PreconditionFailed');
      return;
    }
    objects.set(path, body);
    response.writeHead(200).end();
  }

  function list(response: ServerResponse, prefix: string): void {
    const keys = [...objects.keys()].map((path) => path.split('/').slice(2).join('/'));
    const found = keys
      .filter((key) => key.startsWith(prefix))
      .map((key) => `<Contents><Key>${key}</Key></Contents>`);
    response.end(`<ListBucketResult><IsTruncated>false</IsTruncated>${found.join('')}</ListBucketResult>`);
  }

  function get(response: ServerResponse, path: string, headOnly: boolean): void {
    const object = objects.get(path);
    if (object === undefined) {
      if (markers.has(path)) response.setHeader('x-amz-delete-marker', 'true');
      fail(response, 404, 'NoSuchKey');
    } else if (headOnly) response.writeHead(200, { 'content-length': object.length }).end();
    else response.end(object);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    environment: { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'testtesttest' },
    objects,
    refuse: (how) => {
      refusal = how;
    },
    hangAudio: () =>
      new Promise((resolve) => {
        hung = resolve;
      }),
    answerAudio: () => {
      hung = undefined;
    },
    deleteVersioned: (path) => {
      objects.delete(path);
      markers.add(path);
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`);
}
