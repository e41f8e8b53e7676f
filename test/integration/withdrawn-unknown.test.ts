// Withdrawals of listings that nobody has sent, as the store keeps them. Real: PostgreSQL and the gate's store; invented: what is settled.
import { expect, test } from 'vitest'
import type { Settlement, Standing } from '../../src/pipeline/ports.ts'
import { GROUP, INPUT, NOTHING } from '../contracts/store-samples.ts'
import { freshNode } from './store-on-postgres.ts'

test('what marketplaces withdrew of an id that nobody has sent is kept for each', async () => {
  const node = await freshNode()
  const withdrawnByOthers = [
    { marketplace: 'south "\\', revision: 9 },
    { marketplace: null, revision: 2_147_483_647 },
  ]
  const settling = async (settle: (standing: Standing) => Settlement) => {
    const from = await node.store.place(GROUP, INPUT, 0, 0n)
    const span = { group: GROUP, topic: INPUT, partition: 0, from, next: from + 1n }
    await node.store.commit(span, [{ listingId: 'A', revision: 1 }], (standings) => {
      const standing = standings.get('A')
      if (standing === undefined) throw new Error('no standing')
      return settle(standing)
    })
  }
  const withdrawn = { marketplace: 'north', withdrawnRevision: 1, withdrawnByOthers }
  await settling((row) => ({ ...NOTHING, standings: [{ ...row, ...withdrawn, holdUntil: null }] }))
  await settling((row) => {
    expect(row).toMatchObject({ revision: 0, ...withdrawn })
    return { ...NOTHING, standings: [{ ...row, withdrawnByOthers: [], holdUntil: null }] }
  })
  await settling((row) => {
    expect(row.withdrawnByOthers ?? []).toEqual([])
    return NOTHING
  })
})
