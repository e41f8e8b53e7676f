// Keys and sessions in memory, for tests of HTTP behaviour.
import type { KeyStore, SessionStore } from '../../../src/api/ports.ts'
import type { ApiKey, Caller } from '../../../src/domain/access.ts'

export function memoryAccess() {
  const keys = new Map<string, ApiKey>()
  const sessions = new Map<string, { caller: Caller; oneTime: boolean; until: number }>()
  const idOf = (hash: Uint8Array) => Buffer.from(hash).toString('hex')
  const keyStore: KeyStore = {
    async create(key, hash) {
      const stored = { ...key, createdAt: '2026-01-01T00:00:00Z' }
      keys.set(idOf(hash), stored)
      return stored
    },
    findByHash: async (hash) => keys.get(idOf(hash)),
    list: async () => [...keys.values()],
    async revoke(keyId) {
      for (const [hash, key] of keys) {
        if (key.keyId !== keyId) continue
        keys.set(hash, { ...key, revokedAt: '2026-01-02T00:00:00Z' })
        return true
      }
      return false
    },
  }
  const sessionStore: SessionStore = {
    async create(hash, caller, seconds, oneTime) {
      sessions.set(idOf(hash), { caller, oneTime, until: Date.now() + seconds * 1000 })
    },
    async find(hash) {
      const session = sessions.get(idOf(hash))
      return session === undefined || session.oneTime || session.until <= Date.now() ? undefined : session.caller
    },
    async takeToken(hash) {
      const session = sessions.get(idOf(hash))
      if (session?.oneTime !== true || session.until <= Date.now()) return undefined
      sessions.delete(idOf(hash))
      return session.caller
    },
    async end(hash) {
      sessions.delete(idOf(hash))
    },
  }
  return { keyStore, sessionStore }
}
