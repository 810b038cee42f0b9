/** One request as received by the simulated service. */
export interface ServiceRequest {
  readonly method: string;
  /** Below the base URL, with its query: `/models?type=music`. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Audio that is generated while it is sent. */
export interface AudioBody {
  readonly bytes: number;
  /** Throws, or ends early, if the download should be cut off. Each call starts from the beginning. */
  chunks(): Iterable<Uint8Array>;
}

export interface ServiceAnswer {
  readonly status: number;
  /** Names in lower case, without the length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AudioBody;
  /** The effect has happened, but the response never arrives: the connection is reset. */
  readonly cut?: true;
  /** To be called when the response has been sent or abandoned. */
  readonly over?: () => void;
}

/** The requester: a short hash of the key, as stored. `''`: none. */
export type Account = string;

/** One problem with a request. `path` is the field, `''` the whole request. */
export interface Issue {
  readonly path: string;
  readonly message: string;
  /** Content of `details`. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): ServiceAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

/** The API's `StandardError`, with additional fields. */
export function refuse(status: number, error: string, more: Record<string, unknown> = {}): ServiceAnswer {
  return json(status, { error, ...more });
}

/** Codes of the wallet routes, which are in the body. */
const WALLET_CODE = /^(?:PAYMENT_REQUIRED|X402_)/;

/** The same refusal as worded by today's service: its codes are names on the error page, not fields of the body. */
export function withoutCode(answer: ServiceAnswer): ServiceAnswer {
  if (answer.status < 400 || typeof answer.body !== 'string' || !answer.body.startsWith('{')) return answer;
  const { code, ...body } = JSON.parse(answer.body) as Record<string, unknown>;
  return code === undefined || WALLET_CODE.test(String(code))
    ? answer
    : { ...answer, body: JSON.stringify(body) };
}

/** The same refusal in the API's other form, its error an object. */
export function withErrorObject(answer: ServiceAnswer): ServiceAnswer {
  if (
    typeof answer.body !== 'string' ||
    answer.headers['content-type']?.startsWith('application/json') !== true
  )
    return answer;
  const { error, code, ...more } = JSON.parse(answer.body) as Record<string, unknown>;
  const type = answer.status >= 500 ? 'server_error' : 'invalid_request_error';
  return {
    ...answer,
    body: JSON.stringify({ error: { message: error, type, code: code ?? null }, ...more }),
  };
}

/** The API's `DetailedError`. */
export function invalid(issues: readonly Issue[]): ServiceAnswer {
  const details: Record<string, unknown> = {
    _errors: issues.filter((issue) => issue.path === '').map((issue) => issue.message),
  };
  for (const { path, details: more } of issues) {
    Object.assign(details, more);
    if (path === '') continue;
    details[path] = {
      _errors: issues.filter((issue) => issue.path === path).map((issue) => issue.message),
    };
  }
  return json(400, {
    error: 'Invalid request parameters',
    details,
    issues: issues.map(({ path, message }) => ({
      code: 'custom',
      path: path === '' ? [] : [path],
      message,
    })),
  });
}
