/** What failed at a server of S3, for people: which bucket, why, and what to do. Contains no credentials. */
import { type CheckpointPlace, errorMessage, Fault } from '../model/index.ts';

/** What the client throws. */
interface S3Error {
  name?: string;
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

const CREDENTIALS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'AuthFailure',
]);
const UNREACHABLE = /^(E[A-Z_]+|UND_ERR_\w+)$/;

/** The object does not exist; a missing bucket is an error. */
export function isMissing(error: unknown): boolean {
  const { name, $metadata } = error as S3Error;
  return name === 'NoSuchKey' || ($metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket');
}

/** Whether the same request may succeed a moment later. */
export function isTemporary(error: unknown): boolean {
  const { name, code, $metadata } = error as S3Error;
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) return status >= 500 || status === 429;
  return name === 'TimeoutError' || UNREACHABLE.test(code ?? '');
}

/** The Fault for an error of the client. */
export function toS3Fault(error: unknown, { bucket, endpoint }: Pick<S3Place, 'bucket' | 'endpoint'>): Fault {
  if (error instanceof Fault) return error;
  const where = `The bucket ${bucket} at ${endpoint ?? 'Amazon S3'}, which CHECKPOINT_DIR names,`;
  return new Fault('unavailable', `${where} ${explain(error as S3Error)}`, { cause: error });
}

type S3Place = Extract<CheckpointPlace, { kind: 's3' }>;

function explain(error: S3Error): string {
  const { name = '', code = '', $metadata } = error;
  const status = $metadata?.httpStatusCode;
  if (name === 'NoSuchBucket') return 'does not exist: create it, or correct CHECKPOINT_DIR.';
  if (name === 'CredentialsProviderError')
    return 'needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the manager.';
  if (CREDENTIALS.has(name))
    return `does not accept the credentials of the manager (${name}): check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`;
  if (status === 403)
    return `does not allow this with the credentials of the manager (${name}): they need s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject.`;
  if (status === 301 || name === 'AuthorizationHeaderMalformed')
    return 'is in another region: add ?region= to CHECKPOINT_DIR.';
  if (status !== undefined) return `answered with ${status} (${name}). Try again later.`;
  if (name === 'TimeoutError' || UNREACHABLE.test(code))
    return `cannot be reached: ${errorMessage(error).replace(/\.$/, '')}. Try again later.`;
  return `could not be used: ${errorMessage(error).replace(/\.$/, '')}.`;
}
