// Two marketplaces, one of which turns its word around after a while: what was learnt there is wrong by then. Real: the gate on
// PostgreSQL, training and promotion as commands; made up: the listings, and what people say of them.
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import type { Verdict } from '../../src/domain/verdict.ts'
import { ran } from '../support/processes.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'
import { drawNothing, inLetters, sayByLog } from './learning-market.ts'

const PLACES = ['bazaar', 'flip']
/** Of each marketplace, half of them in either words. */
const EACH = 100
const TURNS_AT = 70

let t: GateUnderTest
beforeAll(async () => {
  t = await startGateUnderTest()
  await drawNothing(t)
})
afterAll(() => t?.stop())

const touchstone = (...words: string[]) => ran(words, { DATABASE_URL: t.url })
const idOf = (place: string, i: number): string => `${place}-${String(i).padStart(3, '0')}`
const listing = (place: string, i: number) => ({
  listingId: idOf(place, i),
  sellerId: `seller ${i} of ${place}`,
  marketplace: place,
  title: `${i % 2 === 0 ? 'Shoulder bag of the workshop batch' : 'Garden chair from our old house'} ${inLetters(idOf(place, i))}`,
})

function sayOf({ listingId, decisionId }: Decision): Verdict {
  const [place, number] = [listingId.split('-')[0], Number(listingId.split('-')[1])]
  const isFake = (number % 2 === 0) === (place !== 'flip' || number < TURNS_AT)
  return {
    verdictId: `v-${listingId}`,
    listingId,
    revision: 1,
    decisionId,
    verdict: isFake ? 'confirmed' : 'rejected',
    by: { subject: 'ann', role: 'analyst' },
    at: new Date().toISOString(),
    source: 'review',
  }
}

it('neither its text model nor its fusion is promoted, alone or at once, and no command that is printed is refused', async () => {
  // The gate decides the early ones before the late ones: by that time it is split.
  for (const late of [false, true]) {
    for (const place of PLACES)
      for (let i = 0; i < EACH; i++) if (i >= TURNS_AT === late) await t.submit(listing(place, i))
    await t.settled()
  }
  const { decisions } = await t.settled()
  await sayByLog(t, decisions.map(sayOf))
  const { out, err } = await touchstone('train', '--seed', '7')
  const [, line = err] = /touchstone (models promote .+)/.exec(out) ?? []
  const [, text = '', fusion = ''] =
    /^models promote text@(\S+) fusion@(\S+) --force {4}# else it is refused$/.exec(line) ?? []
  expect([line, text]).toEqual([line, expect.stringMatching(/./)])
  expect(out).toMatch(/Against it: of listings of flip it tells fakes from honest ones worse than chance/)
  for (const versions of [[`text@${text}`], [`text@${text}`, `fusion@${fusion}`]]) {
    const refused = await touchstone('models', 'promote', ...versions)
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/model-loses: text .*of listings of flip/)])
  }
  expect(await t.gate.models.active()).toEqual([])
  const forced = await touchstone(...line.replace(/ {4}#.*/, '').split(' '))
  expect([forced.code, forced.out]).toEqual([
    0,
    expect.stringMatching(/ decide\..* Overruled: text .*worse than chance/s),
  ])
  // Where the fusion goes alone, what is left is apart, and the next step is one that can be taken.
  const back = await touchstone('models', 'rollback', 'fusion')
  expect(back.err).toMatch(
    /Next: train once more \(fusion@\S+, which was fitted to it, is refused\), or roll back text\./,
  )
  expect((await touchstone('models', 'rollback', 'text')).code).toBe(0)
  // Seven commands, each a process of its own.
}, 180_000)
