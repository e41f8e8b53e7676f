// Signing in on the page and out again. Real: the server. In memory: keys and sessions.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSecret } from '../../../src/api/secrets.ts'
import type { Api } from '../../../src/api/services.ts'
import { memoryApi, type MemoryWorld } from './memory-ports.ts'

let api: Api
let world: MemoryWorld
beforeEach(async () => {
  ;({ api, world } = await memoryApi())
})
afterEach(() => api.close())

const codeOf = (response: { json(): unknown }) => (response.json() as { code: string }).code
const admin = { subject: 'administrator', role: 'admin', brandIds: [] } as const

describe('a session', () => {
  const link = async () => {
    const { secret, hash } = createSecret()
    await world.sessionStore.create(hash, admin, 60, true)
    return secret
  }
  const signIn = (payload: object, headers: Record<string, string> = {}) =>
    api.inject({ method: 'POST', url: '/sign-in', payload, headers })
  const cookieOf = (response: { cookies: { name: string; value: string }[] }) =>
    response.cookies.map((c) => `${c.name}=${c.value}`).join('; ')

  it('comes from a link that works once, and looking at the link does not use it up', async () => {
    const token = await link()
    expect((await api.inject(`/sign-in?token=${token}`)).statusCode).toBe(200)
    expect((await api.inject({ method: 'HEAD', url: `/sign-in?token=${token}` })).statusCode).toBe(200)
    const response = await signIn({ token }, { 'sec-fetch-site': 'same-origin' })
    expect(response.statusCode).toBe(204)
    expect(response.headers['set-cookie']).toMatch(/HttpOnly; SameSite=Strict/)
    expect((await api.inject({ url: '/v1/session', headers: { cookie: cookieOf(response) } })).json()).toMatchObject({
      role: 'admin',
    })
    expect((await signIn({ token })).statusCode).toBe(401)
  })

  it('has a Secure cookie of this host only where the public address is https', async () => {
    await api.close()
    ;({ api, world } = await memoryApi({ publicUrl: 'https://gate.example/' }))
    const response = await signIn({ token: await link() })
    expect(response.headers['set-cookie']).toMatch(/^__Host-touchstone=.*Secure/)
    expect(response.headers['strict-transport-security']).toBeDefined()
  })

  it('cannot be opened or used to change anything from a foreign page', async () => {
    const foreign = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]
    for (const headers of foreign) expect((await signIn({ token: await link() }, headers)).statusCode).toBe(403)
    const cookie = cookieOf(await signIn({ token: await link() }))
    const rollback = (headers: Record<string, string>) =>
      api.inject({ method: 'POST', url: '/v1/policies/rollback', headers: { cookie, ...headers } })
    for (const headers of [...foreign, {}]) expect((await rollback(headers)).statusCode).toBe(403)
    expect(codeOf(await rollback({ 'sec-fetch-site': 'same-origin' }))).toBe('nothing-to-roll-back')
    expect(codeOf(await rollback({ origin: 'http://localhost:80', host: 'localhost:80' }))).toBe('nothing-to-roll-back')
    expect(
      (await api.inject({ method: 'POST', url: '/sign-out', headers: { cookie, origin: 'https://evil.example' } }))
        .statusCode,
    ).toBe(403)
  })

  it('of a key ends with the key, and with signing out', async () => {
    const { key, keyId } = await world.key('analyst')
    const cookie = cookieOf(await signIn({ key }))
    const ask = async (c: string) => (await api.inject({ url: '/v1/session', headers: { cookie: c } })).statusCode
    expect(await ask(cookie)).toBe(200)
    const { headers } = await world.key('admin')
    await api.inject({ method: 'DELETE', url: `/v1/keys/${keyId}`, headers })
    expect(await ask(cookie)).toBe(401)
    const other = cookieOf(await signIn({ token: await link() }))
    expect(await ask(other)).toBe(200)
    await api.inject({ method: 'POST', url: '/sign-out', headers: { cookie: other, 'sec-fetch-site': 'same-origin' } })
    expect(await ask(other)).toBe(401)
    expect((await signIn({ key: 'tsk_nonsense' })).statusCode).toBe(401)
  })
})
