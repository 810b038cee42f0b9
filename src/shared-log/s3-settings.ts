import { BatchError, EXIT } from '../core/errors.js';
import { escapeS3, type S3Credentials } from './s3-sign.js';
import { checkEndpoint, type StateAddress } from './state-address.js';

export interface S3Settings {
  /** For the bucket and prefix, with a trailing slash. */
  readonly base: URL;
  /** For the bucket, used for lists. */
  readonly bucketUrl: URL;
  /** With a trailing slash, or empty. */
  readonly prefix: string;
  readonly region: string;
  readonly credentials: S3Credentials;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** From the address and the usual AWS variables. Throws a `BatchError` if something is missing. */
export function s3Settings(address: StateAddress & { kind: 's3' }, environment: Environment): S3Settings {
  const custom =
    address.endpoint ??
    setting(environment, 'AWS_ENDPOINT_URL_S3') ??
    setting(environment, 'AWS_ENDPOINT_URL');
  const endpoint = custom === undefined ? undefined : checkEndpoint(custom);
  const region = regionOf(address, endpoint, environment);
  const bucketUrl = bucketUrlOf(address.bucket, endpoint, region);
  const prefix = address.prefix === '' ? '' : `${address.prefix}/`;
  const base = new URL(bucketUrl);
  base.pathname += prefix.split('/').map(escapeS3).join('/');
  return { base, bucketUrl, prefix, region, credentials: credentialsFrom(environment) };
}

function regionOf(
  { region }: StateAddress & { kind: 's3' },
  endpoint: string | undefined,
  environment: Environment,
): string {
  const found = region ?? setting(environment, 'AWS_REGION') ?? setting(environment, 'AWS_DEFAULT_REGION');
  if (found !== undefined) return found;
  return endpoint !== undefined && new URL(endpoint).hostname.endsWith('.r2.cloudflarestorage.com')
    ? 'auto'
    : 'us-east-1';
}

/**
 * Services other than AWS are addressed by path, because not all have a host name for each bucket. So are buckets with
 * dots, for which there is no certificate.
 */
function bucketUrlOf(bucket: string, endpoint: string | undefined, region: string): URL {
  if (endpoint !== undefined) return new URL(`${endpoint}/${escapeS3(bucket)}/`);
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  if (bucket.includes('.')) return new URL(`https://s3.${region}.${suffix}/${bucket}/`);
  return new URL(`https://${bucket}.s3.${region}.${suffix}/`);
}

function credentialsFrom(environment: Environment): S3Credentials {
  const accessKeyId = setting(environment, 'AWS_ACCESS_KEY_ID');
  const secretAccessKey = setting(environment, 'AWS_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const missing = accessKeyId === undefined ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY';
    throw new BatchError('state-credentials', `the shared log is in S3, and ${missing} is not set`, {
      exitCode: EXIT.authentication,
      hint: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary ones); for a profile: eval "$(aws configure export-credentials --format env)"',
    });
  }
  return { accessKeyId, secretAccessKey, sessionToken: setting(environment, 'AWS_SESSION_TOKEN') };
}

function setting(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === '' ? undefined : value;
}
