// Which revision a case is said to be opened with, however its changes are batched. Real: PostgreSQL and the gate's store; invented: the changes.
import { expect, test } from 'vitest'
import type { CaseChange } from '../../src/pipeline/ports.ts'
import { GROUP, INPUT, listings, NOTHING } from '../contracts/store-samples.ts'
import { freshNode } from './store-on-postgres.ts'

const change = (what: CaseChange['change'], revision: number, openedBy: CaseChange['openedBy'] = null): CaseChange => ({
  caseId: 'C',
  listingId: 'L-0',
  change: what,
  revision,
  brandIds: ['nike'],
  risk: 0.7,
  openedBy,
  marketplace: null,
  dueAt: null,
  at: '2026-01-01T00:00:00Z',
})
const [SAMPLE, HELD] = [change('open', 1, 'audit'), change('open', 1, 'hold')]

test.each([
  ['the gate stopped', 1, [HELD, change('carry', 2), change('carry', 3)]],
  ['was drawn', 1, [SAMPLE, change('carry', 2)]],
  ['was stopped of a sample', 3, [SAMPLE, change('carry', 2), change('carry', 3, 'hold'), change('carry', 4)]],
  ['was stopped before it was withdrawn', 1, [HELD, change('withdrawn', 1), change('carry', 2), change('carry', 3)]],
  [
    'was stopped before it was settled and its seller answered',
    1,
    [HELD, change('carry', 2), change('resolved', 2), change('reopened', 2, 'appeal'), change('carry', 3)],
  ],
  [
    'was stopped of a sample that was looked at again',
    2,
    [SAMPLE, change('resolved', 1), change('reopened', 1, 'review'), change('carry', 2, 'block')],
  ],
] as const)('a case is opened with what %s: revision %i', async (_, opened, changes) => {
  const { store, database } = await freshNode()
  // In two batches, cut at each place in turn; the last time all are in one.
  for (let cut = 1; cut <= changes.length; cut++) {
    const named = changes.map((one) => ({ ...one, caseId: `C-${cut}`, listingId: `L-${cut}` }))
    for (const cases of [named.slice(0, cut), named.slice(cut)]) {
      const from = await store.place(GROUP, INPUT, 0, 0n)
      const span = { group: GROUP, topic: INPUT, partition: 0, from, next: from + 1n }
      await store.commit(span, listings('L', changes.length + 1), () => ({ ...NOTHING, cases }))
    }
  }
  const { rows } = await database.reading.query<{ revision: number }>(
    'select opened_revision as revision from review_case',
  )
  expect(rows.map(({ revision }) => revision)).toEqual(changes.map(() => opened))
})
