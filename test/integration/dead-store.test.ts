// The store's connections die again and again during a load. Real: PostgreSQL, the whole gate; the database is shared by nobody else.
import pg from 'pg'
import { expect, it } from 'vitest'
import { startGateUnderTest } from '../support/running-gate.ts'

const LISTINGS = 600

it(
  'decides every listing once although every connection is ended eight times in the middle',
  { timeout: 120_000 },
  async () => {
    const t = await startGateUnderTest()
    const killer = new pg.Client({ connectionString: t.url })
    await killer.connect()
    try {
      const sending = (async () => {
        for (let i = 0; i < LISTINGS; i += 1) {
          // An append whose connection dies has an unknown outcome: sent again, as any client would.
          for (;;) {
            try {
              await t.submit({ listingId: `L-${i}` })
              break
            } catch {
              await new Promise((resolve) => setTimeout(resolve, 20))
            }
          }
        }
      })()
      for (let i = 0; i < 8; i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 150))
        await killer.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
        )
      }
      await sending
      const { decisions, refusals } = await t.until('every listing is decided', async () => {
        const now = await t.settled().catch(() => undefined)
        return now !== undefined && now.decisions.length >= LISTINGS && now
      })
      expect(refusals).toEqual([])
      expect(new Set(decisions.map((d) => d.decisionId)).size).toBe(decisions.length)
      expect(decisions.map((d) => d.listingId).sort()).toEqual(
        Array.from({ length: LISTINGS }, (_, i) => `L-${i}`).sort(),
      )
      expect(decisions.every((d) => d.sequence === 1)).toBe(true)
    } finally {
      await killer.end()
      await t.stop()
    }
  },
)
