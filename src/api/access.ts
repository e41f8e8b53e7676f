// Who calls: an API key or a session cookie becomes a Caller, and every route says which roles it is for.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller, Role } from '../domain/access.ts'
import { TouchstoneError } from '../errors.ts'
import { createFailedAttempts, MAX_FAILURES } from './failed-attempts.ts'
import type { KeyStore, SessionStore } from './ports.ts'
import { hashSecret, isApiKey, isSecret } from './secrets.ts'

/** `open`: anyone who reaches the address. A route that declares nothing stops the start. */
export type Access = 'open' | readonly Role[]

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    /** Set on every route that is not open. */
    caller: Caller | undefined
  }
}

/** A revoked key or an ended session is refused within this many milliseconds. */
const TRUST_MS = 1_000
const CACHED = 10_000

interface Cached {
  readonly caller: Caller
  readonly until: number
}

export interface Authenticator {
  /** Throws `unauthorized`, `forbidden` or `rate-limited`. */
  admit(request: FastifyRequest, reply: FastifyReply, access: Access): Promise<void>
  /** The caller of a key that somebody signs in with; counts a failed attempt. Throws `rate-limited`, never for a valid key. */
  callerOfKey(key: string, request: FastifyRequest, reply: FastifyReply): Promise<Caller | undefined>
  /** The caller of a one-time sign-in token, which is then used up; counts a failed attempt. Throws `rate-limited`, never for a valid one. */
  callerOfToken(token: string, request: FastifyRequest, reply: FastifyReply): Promise<Caller | undefined>
  /** Forget what was cached, after a revocation or a sign-out here. */
  forget(): void
}

export function createAuthenticator(stores: {
  keys: KeyStore
  sessions: SessionStore
  cookieName: string
  publicOrigin: string | undefined
}): Authenticator {
  const { keys, sessions } = stores
  const cache = new Map<string, Cached>()
  const failures = createFailedAttempts()

  /**
   * What is well formed is always asked for: 256 bits cannot be guessed, and whoever shares an address with somebody who
   * tries must not be locked out. Those who fail too often are only told to wait instead of what was wrong.
   */
  function failed(request: FastifyRequest, reply: FastifyReply): undefined {
    const wait = failures.wait(request.ip)
    failures.count(request.ip)
    if (wait === undefined) return
    void reply.header('retry-after', wait)
    throw new TouchstoneError('rate-limited', `${MAX_FAILURES} failed attempts in a minute from this address`)
  }

  async function lookup(
    secret: string,
    find: (hash: Uint8Array) => Promise<Caller | undefined>,
  ): Promise<Caller | undefined> {
    const hash = hashSecret(secret)
    const id = Buffer.from(hash).toString('base64')
    const known = cache.get(id)
    if (known !== undefined && known.until > Date.now()) return known.caller
    // Counted from before the question: what is revoked while it is asked is still noticed in time.
    const until = Date.now() + TRUST_MS
    const caller = await find(hash)
    if (caller === undefined) return undefined
    if (cache.size >= CACHED) cache.clear()
    cache.set(id, { caller, until })
    return caller
  }

  const byKey = (hash: Uint8Array) =>
    keys
      .findByHash(hash)
      .then((k): Caller | undefined =>
        k === undefined || k.revokedAt !== undefined
          ? undefined
          : { subject: `key:${k.keyId}`, role: k.role, brandIds: k.brandIds, marketplace: k.marketplace },
      )

  /** A session that was opened with a key ends with that key. */
  async function bySession(hash: Uint8Array): Promise<Caller | undefined> {
    const caller = await sessions.find(hash)
    if (caller === undefined || !caller.subject.startsWith('key:')) return caller
    const key = (await keys.list()).find((k) => `key:${k.keyId}` === caller.subject)
    return key === undefined || key.revokedAt !== undefined ? undefined : caller
  }

  const callerOfKey: Authenticator['callerOfKey'] = async (key, request, reply) =>
    (isApiKey(key) ? await lookup(key, byKey) : undefined) ?? failed(request, reply)

  const callerOfToken: Authenticator['callerOfToken'] = async (token, request, reply) =>
    (isSecret(token) ? await sessions.takeToken(hashSecret(token)) : undefined) ?? failed(request, reply)

  async function admit(request: FastifyRequest, reply: FastifyReply, access: Access): Promise<void> {
    if (access === 'open') return
    const header = request.headers.authorization
    const cookie = request.cookies[stores.cookieName]
    let caller: Caller | undefined
    if (header !== undefined) {
      caller = await callerOfKey(/^Bearer +(\S+) *$/i.exec(header)?.[1] ?? '', request, reply)
    } else if (cookie !== undefined) {
      caller = (isSecret(cookie) ? await lookup(cookie, bySession) : undefined) ?? failed(request, reply)
      if (caller !== undefined && request.method !== 'GET' && request.method !== 'HEAD') {
        requireSameOrigin(request, stores.publicOrigin)
      }
    }
    if (caller === undefined) {
      void reply.header('www-authenticate', 'Bearer realm="touchstone"')
      const had =
        header !== undefined
          ? 'the key is unknown or revoked'
          : cookie !== undefined
            ? 'the session has ended'
            : 'the request has no key and no session'
      throw new TouchstoneError('unauthorized', had)
    }
    if (!access.includes(caller.role)) {
      throw new TouchstoneError(
        'forbidden',
        `this needs one of the roles ${access.join(', ')}; the caller has ${caller.role}`,
      )
    }
    request.caller = caller
  }

  return { admit, callerOfKey, callerOfToken, forget: () => cache.clear() }
}

/**
 * A browser adds its cookie to whatever a page makes it send, so a request that changes something must come from our
 * own pages. Sec-Fetch-Site cannot be set by scripts; browsers leave it out on plain HTTP, where Origin must be ours.
 */
export function requireSameOrigin(request: FastifyRequest, publicOrigin: string | undefined): void {
  const site = request.headers['sec-fetch-site']
  const { origin, host } = request.headers
  const ours = site === undefined ? origin !== undefined && isOurs(origin, host, publicOrigin) : site === 'same-origin'
  if (!ours)
    throw new TouchstoneError('forbidden', 'a request with a session cookie must come from the pages of this service')
}

function isOurs(origin: string, host: string | undefined, publicOrigin: string | undefined): boolean {
  return origin === publicOrigin || origin === `http://${host}` || origin === `https://${host}`
}

/** The caller of a route that is not open. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === undefined) throw new Error('the route is open: it has no caller')
  return request.caller
}
