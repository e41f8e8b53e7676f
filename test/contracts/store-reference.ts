// What every store must keep of reference data and access: one order of changes, nothing overwritten, secrets only by hash.
import { createHash, randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { brandSchema } from '../../src/domain/brand.ts'
import type { Brand } from '../../src/domain/brand.ts'
import { policySchema } from '../../src/domain/policy.ts'
import type { Policy } from '../../src/domain/policy.ts'
import type { SharedStore, StoreNode } from './store.ts'
import { twoNodes } from './two-nodes.ts'

const brand = (brandId: string, name = brandId): Brand => brandSchema.parse({ brandId, name })
const policy = (hold: number): Policy =>
  policySchema.parse({
    policyId: 'default',
    version: 1,
    thresholds: { hold, block: 0.9 },
    riskClasses: [{ name: 'low', from: 0 }],
    hold: { deadlineSeconds: 60, onDeadline: { low: 'allow' } },
  })
const secret = (): Uint8Array => createHash('sha256').update(randomBytes(16)).digest()

export function referenceStoreContract(name: string, start: () => Promise<SharedStore>): void {
  describe(`${name}: reference data`, () => {
    let one: StoreNode
    let two: StoreNode
    beforeEach(async () => {
      ;[one, two] = await twoNodes(start)
    })

    test('there is nothing to roll back to before the second version', async () => {
      await expect(one.reference.rollbackPolicy('ann')).rejects.toMatchObject({ code: 'nothing-to-roll-back' })
      await one.reference.publishPolicy(policy(0.5), 'ann', undefined)
      await expect(one.reference.rollbackPolicy('ann')).rejects.toMatchObject({ code: 'nothing-to-roll-back' })
      expect((await one.reference.load()).policy?.version).toBe(1)
    })

    test('of two who publish on the same version one is told of the conflict', async () => {
      await expect(one.reference.publishPolicy(policy(0.5), 'ann', 1)).rejects.toMatchObject({
        code: 'policy-conflict',
      })
      await one.reference.publishPolicy(policy(0.5), 'ann', undefined)
      const results = await Promise.allSettled(
        [one, two].map((node, i) => node.reference.publishPolicy(policy(0.6 + i / 10), 'bob', 1)),
      )
      expect(results.map((r) => r.status).toSorted()).toEqual(['fulfilled', 'rejected'])
      expect(results.find((r) => r.status === 'rejected')?.reason).toMatchObject({ code: 'policy-conflict' })
      expect((await one.reference.policies()).map((r) => [r.policy.version, r.active])).toEqual([
        [1, false],
        [2, true],
      ])
    })

    test('rolling back goes back one version at a time, and publishing goes on from there', async () => {
      for (const hold of [0.1, 0.2, 0.3]) await one.reference.publishPolicy(policy(hold), 'ann', undefined)
      expect((await two.reference.rollbackPolicy('bob')).policy).toMatchObject({
        version: 2,
        thresholds: { hold: 0.2 },
      })
      expect((await two.reference.rollbackPolicy('bob')).policy.version).toBe(1)
      await expect(two.reference.rollbackPolicy('bob')).rejects.toMatchObject({ code: 'nothing-to-roll-back' })
      expect(await one.reference.publishPolicy(policy(0.4), 'ann', 1)).toMatchObject({
        policy: { version: 4 },
        publishedBy: 'ann',
        active: true,
      })
      expect((await one.reference.rollbackPolicy('ann')).policy.version).toBe(1)
      expect((await one.reference.policies()).filter((r) => r.active).map((r) => r.policy.version)).toEqual([1])
    })

    test('what is said twice changes nothing; every real change gives the next number', async () => {
      const before = await one.reference.change()
      expect(await one.reference.upsertBrands([brand('nike'), brand('gap')], 'ann')).toEqual({
        added: 2,
        changed: 0,
        unchanged: 0,
      })
      expect(await two.reference.upsertBrands([brand('nike'), brand('gap', 'Gap')], 'ann')).toEqual({
        added: 0,
        changed: 1,
        unchanged: 1,
      })
      expect(await one.reference.upsertBrands([brand('nike')], 'ann')).toEqual({ added: 0, changed: 0, unchanged: 1 })
      expect(await one.reference.upsertBrands([], 'ann')).toEqual({ added: 0, changed: 0, unchanged: 0 })
      expect(await two.reference.change()).toBe(before + 2n)
      expect((await one.reference.brand('gap'))?.name).toBe('Gap')
      expect(await one.reference.brand('none')).toBeUndefined()
    })

    test('a brand that cannot be stored is refused by name, and nothing of its batch is kept', async () => {
      const broken = { ...brand('bad'), name: 'half \ud83c pair' }
      await expect(one.reference.upsertBrands([brand('good'), broken], 'ann')).rejects.toMatchObject({
        code: 'brand-invalid',
      })
      const escaped = { ...brand('fine'), name: 'backslash \\u0000, 🎉' }
      await one.reference.upsertBrands([escaped], 'ann')
      expect((await one.reference.load()).brands).toEqual([escaped])
    })

    test('a load is of one moment: number, brands and policy belong together', async () => {
      const states = new Set<string>()
      await one.reference.publishPolicy(policy(0.5), 'ann', undefined)
      const first = await one.reference.change()
      const writing = (async () => {
        for (let i = 1; i <= 20; i++)
          await one.reference.upsertBrands([brand('a', `n${i}`), brand('b', `n${i}`)], 'ann')
      })()
      for (let i = 0; i < 40; i++) {
        const { change, brands } = await two.reference.load()
        states.add(`${change - first}: ${brands.map((b) => b.name).join(' ')}`)
      }
      await writing
      for (const state of states) expect(state).toMatch(/^0: $|^(\d+): n\1 n\1$/)
    })

    test('news are of the kinds that changed, of one moment, and none of a number that only banks raised', async () => {
      await one.reference.publishPolicy(policy(0.5), 'ann', undefined)
      await one.reference.upsertBrands([brand('a', 'n0'), brand('b', 'n0')], 'ann')
      const all = await two.reference.load()
      expect(await two.reference.news(all.kinds)).toEqual({ change: all.change, kinds: all.kinds })

      await one.reference.publishPolicy(policy(0.6), 'ann', undefined)
      const published = await two.reference.news(all.kinds)
      expect(published).toMatchObject({ change: all.change + 1n, policy: { version: 2 } })
      expect(Object.keys(published).toSorted()).toEqual(['change', 'kinds', 'policy'])
      expect(await two.reference.news(published.kinds)).toEqual({ change: published.change, kinds: published.kinds })
      await one.reference.rollbackPolicy('ann')
      const back = await two.reference.news(published.kinds)
      expect(back).toMatchObject({ change: published.change + 1n, policy: { version: 1 } })

      const states = new Set<string>()
      const writing = (async () => {
        for (let i = 1; i <= 20; i++)
          await one.reference.upsertBrands([brand('a', `n${i}`), brand('b', `n${i}`)], 'ann')
      })()
      let { kinds } = back
      for (let i = 0; i < 40; i++) {
        const news = await two.reference.news(kinds)
        expect(news.brands === undefined).toBe(news.kinds.brands === kinds.brands)
        expect(Object.keys(news)).not.toContain('policy')
        kinds = news.kinds
        if (news.brands) states.add(`${news.change - back.change}: ${news.brands.map((b) => b.name).join(' ')}`)
      }
      await writing
      expect(states.size).toBeGreaterThan(0)
      for (const state of states) expect(state).toMatch(/^(\d+): n\1 n\1$/)
    })

    test('another process hears of a change, and of none after it stopped listening', async () => {
      let heard = 0
      let wake = (): void => undefined
      const stop = await two.reference.onChange(() => {
        heard += 1
        wake()
      })
      const told = new Promise<void>((resolve) => (wake = resolve))
      await one.reference.upsertBrands([brand('nike')], 'ann')
      await told
      await stop()
      const sofar = heard
      await one.reference.publishPolicy(policy(0.5), 'ann', undefined)
      await two.reference.load()
      expect(heard).toBe(sofar)
    })
  })

  describe(`${name}: keys and sessions`, () => {
    let one: StoreNode
    let two: StoreNode
    beforeEach(async () => {
      ;[one, two] = await twoNodes(start)
    })

    test('a key is found by its hash only, also after it was revoked', async () => {
      const hash = secret()
      const key = await one.keys.create({ keyId: 'k1', role: 'brand', brandIds: ['nike', 'gap'] }, hash)
      expect(key).toEqual({ keyId: 'k1', role: 'brand', brandIds: ['nike', 'gap'], createdAt: key.createdAt })
      await one.keys.create({ keyId: 'k2', role: 'ingest', brandIds: [], marketplace: 'demo' }, secret())
      expect(await two.keys.findByHash(hash)).toEqual(key)
      expect(await two.keys.findByHash(secret())).toBeUndefined()
      expect((await two.keys.list()).map((k) => [k.keyId, k.marketplace])).toEqual([
        ['k1', undefined],
        ['k2', 'demo'],
      ])
      expect(await one.keys.revoke('k1')).toBe(true)
      const revoked = await two.keys.findByHash(hash)
      expect(revoked?.revokedAt).toBeDefined()
      expect(await one.keys.revoke('k1')).toBe(true)
      expect(await two.keys.findByHash(hash)).toEqual(revoked)
      expect(await one.keys.revoke('none')).toBe(false)
    })

    test('two keys with one id or one hash are impossible', async () => {
      const hash = secret()
      await one.keys.create({ keyId: 'k1', role: 'admin', brandIds: [] }, hash)
      await expect(one.keys.create({ keyId: 'k1', role: 'admin', brandIds: [] }, secret())).rejects.toThrow(/unique/)
      await expect(one.keys.create({ keyId: 'k2', role: 'admin', brandIds: [] }, hash)).rejects.toThrow(/unique/)
    })

    test('a one-time token opens exactly once, whoever comes first, and is no session', async () => {
      const token = secret()
      const caller = { subject: 'ann', role: 'admin', brandIds: [] } as const
      await one.sessions.create(token, caller, 60, true)
      expect(await one.sessions.find(token)).toBeUndefined()
      const taken = await Promise.all([one, two, one, two].map((node) => node.sessions.takeToken(token)))
      expect(taken.filter((t) => t !== undefined)).toEqual([caller])
      expect(await one.sessions.takeToken(token)).toBeUndefined()
    })

    test('a session ends when it expires or is ended, and is no token', async () => {
      const caller = { subject: 'bob', role: 'brand', brandIds: ['nike'], marketplace: 'demo' } as const
      const [live, expired] = [secret(), secret()]
      await one.sessions.create(live, caller, 60, false)
      await one.sessions.create(expired, caller, 0, false)
      expect(await two.sessions.find(live)).toEqual(caller)
      expect(await two.sessions.takeToken(live)).toBeUndefined()
      expect(await two.sessions.find(expired)).toBeUndefined()
      await one.sessions.create(secret(), caller, 60, false)
      await two.sessions.end(live)
      expect(await one.sessions.find(live)).toBeUndefined()
    })
  })
}
