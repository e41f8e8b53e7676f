// Keys, session cookies and sign-in tokens: how they are made, and the one-way form in which they are stored.
import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits as base64url: 43 characters. */
const SECRET = /^[A-Za-z0-9_-]{43}$/
const KEY_PREFIX = 'tsk_'

/**
 * SHA-256 of the secret. A slow password hash would add nothing: 256 random bits cannot be guessed. Lookups go by this
 * hash, so a comparison's timing says nothing about the secret.
 */
export function hashSecret(secret: string): Uint8Array {
  return createHash('sha256').update(secret, 'utf8').digest()
}

export function createSecret(): { readonly secret: string; readonly hash: Uint8Array } {
  const secret = randomBytes(32).toString('base64url')
  return { secret, hash: hashSecret(secret) }
}

/** A new API key: `key` is shown once, `hash` is stored. */
export function createApiKey(): { readonly keyId: string; readonly key: string; readonly hash: Uint8Array } {
  const key = KEY_PREFIX + createSecret().secret
  return { keyId: `key-${randomBytes(8).toString('hex')}`, key, hash: hashSecret(key) }
}

export function isSecret(text: string): boolean {
  return SECRET.test(text)
}

export function isApiKey(text: string): boolean {
  return text.startsWith(KEY_PREFIX) && isSecret(text.slice(KEY_PREFIX.length))
}
