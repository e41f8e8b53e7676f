// What the HTTP layer needs besides the pipeline's ports: keys, sessions and one-time sign-in links, all by hash.
import type { ApiKey, Caller } from '../domain/access.ts'

export interface KeyStore {
  create(key: Omit<ApiKey, 'createdAt' | 'revokedAt'>, hash: Uint8Array): Promise<ApiKey>
  /** Revoked keys are found too: the caller looks at `revokedAt`. */
  findByHash(hash: Uint8Array): Promise<ApiKey | undefined>
  list(): Promise<ApiKey[]>
  /** False when there is no such key; revoking twice is no error. */
  revoke(keyId: string): Promise<boolean>
}

export interface SessionStore {
  /** A browser session or, with `oneTime`, a sign-in token that `takeToken` consumes. */
  create(hash: Uint8Array, caller: Caller, seconds: number, oneTime: boolean): Promise<void>
  /** The caller of a session that has not expired; never of a one-time token. */
  find(hash: Uint8Array): Promise<Caller | undefined>
  /** The caller of a one-time token, exactly once. */
  takeToken(hash: Uint8Array): Promise<Caller | undefined>
  end(hash: Uint8Array): Promise<void>
}
