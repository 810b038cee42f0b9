import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface GitServer {
  /** URL of an empty repository that anybody may push to. */
  readonly url: string;
  /** The repository itself. */
  readonly folder: string;
  /** From now on pushes get 403. */
  refusePushes(): void;
  stop(): Promise<void>;
}

/** Git over HTTP, as Git hosts serve it: git's own `http-backend` behind a small server. */
export async function startGitServer(): Promise<GitServer> {
  const root = mkdtempSync(path.join(tmpdir(), 'git-server-'));
  const folder = path.join(root, 'album.git');
  git(['init', '--quiet', '--bare', folder]);
  git(['-C', folder, 'config', 'http.receivepack', 'true']);
  // Hosts do not tidy up within a push.
  git(['-C', folder, 'config', 'receive.autogc', 'false']);
  let refused = false;
  const server = createServer((request, response) => {
    if (refused && request.url?.includes('git-receive-pack'))
      response.writeHead(403).end('Permission denied');
    else answer(root, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/album.git`,
    folder,
    refusePushes: () => {
      refused = true;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A local repository whose `origin` is at the address. */
export function createClone(url: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'git-clone-'));
  git(['init', '--quiet', folder]);
  git(['-C', folder, 'remote', 'add', 'origin', url]);
  return folder;
}

export function git(words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('git', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${words.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** One request in CGI form (RFC 3875). */
function answer(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const { headers } = request;
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: headers['content-type'] ?? '',
      ...(headers['content-length'] && { CONTENT_LENGTH: headers['content-length'] }),
      ...(headers['content-encoding'] && { HTTP_CONTENT_ENCODING: headers['content-encoding'] }),
      ...(headers['git-protocol'] && { GIT_PROTOCOL: String(headers['git-protocol']) }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  backend.stdin.on('error', () => {});
  request.pipe(backend.stdin);
  let head: Buffer | undefined = Buffer.alloc(0);
  backend.stdout.on('data', (piece: Buffer) => {
    if (head === undefined) {
      response.write(piece);
      return;
    }
    head = Buffer.concat([head, piece]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const fields = head.subarray(0, end).toString().split('\r\n');
    const pairs = fields.map((field) => field.split(/: ?(.*)/s) as [string, string]);
    const status = pairs.find(([name]) => name === 'Status')?.[1] ?? '200';
    for (const [name, value] of pairs) if (name !== 'Status') response.setHeader(name, value);
    response.writeHead(Number.parseInt(status, 10));
    response.write(head.subarray(end + 4));
    head = undefined;
  });
  backend.stdout.on('end', () => response.end());
}
