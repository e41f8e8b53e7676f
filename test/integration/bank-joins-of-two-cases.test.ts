// Cases that are confirmed in one transaction. Real: PostgreSQL, the statements of the stores; invented: hashes and listings.
import { describe, expect, test } from 'vitest'
import { lookAhead } from '../../src/adapters/postgres/look-ahead.ts'
import { shownAt } from '../../src/adapters/postgres/of-case.ts'
import { picture } from '../contracts/store-banks.ts'
import { joinOf, offer, openCase, showInCase, toldOfJoins } from './case-pictures.ts'
import { freshNode } from './store-on-postgres.ts'

/** In milliseconds: no test is about how long a look takes. */
const AMPLE = { first: 60_000, each: 60_000, all: 120_000 }

describe('of two cases in one batch', () => {
  test('two cases that are confirmed at once have each what it was opened with itself, and nothing of the other', async () => {
    const node = await freshNode()
    const { deciding, reading } = node.database
    const cases = {
      C: { listingId: 'L', opened: 1, pictures: ['F', 'X', 'H'] },
      D: { listingId: 'M', opened: 2, pictures: ['K', 'Y', 'G'] },
    }
    for (const [caseId, { listingId, opened, pictures }] of Object.entries(cases)) {
      for (const [i, name] of pictures.entries()) {
        await offer(deciding, { listingId, sellerId: listingId, revision: i + 1, outcome: 'hold' })
        await openCase(deciding, caseId, listingId, i + 1)
        await showInCase(deciding, caseId, [picture(name)], i + 1)
      }
      await deciding.query(`update review_case set opened_revision = $2 where case_id = $1`, [caseId, opened])
    }
    await deciding.query(`update case_picture set brand_ids = '{nike}'`)
    const joins = Object.entries(cases).map(([caseId, { listingId }]) =>
      joinOf({ verdictId: `V-${caseId}`, caseId, listingId, revision: 3 }),
    )
    const look = await lookAhead(reading, shownAt(joins), undefined, { times: AMPLE })
    const all = Object.values(cases).flatMap(({ listingId, pictures }) =>
      pictures.map((name) => ({ listingId, sha256: picture(name).sha256, frame: 0 })),
    )
    expect(new Set(look.lookedUp)).toEqual(new Set(all))
    await toldOfJoins(deciding, joins, look)
    const entries = await node.banks.images('confirmed-nike', { limit: 99 })
    const wordsOf = (verdictId: string) =>
      Object.fromEntries(
        entries
          .filter(({ source }) => source.verdictId === verdictId)
          .map(({ source }) => [source.revision, source.by ?? 'who looked']),
      )
    expect(wordsOf('V-C')).toEqual({ 1: 'who looked', 2: 'nobody', 3: 'who looked' })
    expect(wordsOf('V-D')).toEqual({ 1: 'nobody', 2: 'who looked', 3: 'who looked' })
    const of = (verdictId: string) =>
      entries.filter(({ source }) => source.verdictId === verdictId).map((one) => one.sha256)
    for (const [caseId, { pictures }] of Object.entries(cases))
      expect(of(`V-${caseId}`).toSorted()).toEqual(pictures.map((name) => picture(name).sha256).toSorted())
  })
})
