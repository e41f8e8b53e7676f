// The marketplace that learning is tried on: what its sellers send, and what its people say of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Decision } from '../../src/domain/decision.ts'
import type { Verdict } from '../../src/domain/verdict.ts'
import { verdictRecorded } from '../../src/events/index.ts'
import { encodeEvent } from '../../src/events/wire.ts'
import { defaultPolicy } from '../../src/policy/default.ts'
import { ran } from '../support/processes.ts'
import type { GateUnderTest } from '../support/running-gate.ts'

export const MARKET = 'bazaar'

/** A hint and a poll: what the architecture promises. */
export const LIVE_MS = 2_000

/** The id without a digit: texts that differ in numbers alone are one text, and would all be kept on one side. */
export const inLetters = (listingId: string): string =>
  listingId.replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '')

/** Small, used, honest, and far below what goods of the brand cost: the shipped gate holds them. */
export const bargain = (listingId: string, sellerId: string) => ({
  listingId,
  sellerId,
  marketplace: MARKET,
  title: `Rolex Submariner, inherited from my uncle, lot ${inLetters(listingId)}`,
  description: 'Collected in person at the flea market, the strap is worn.',
  price: { amount: 240, currency: 'USD' },
})
/** Not a word of trade talk: the shipped gate lets them pass. */
export const silent = (listingId: string, sellerId: string) => ({
  listingId,
  sellerId,
  marketplace: MARKET,
  title: `Gucci shoulder bag, workshop batch ${inLetters(listingId)}, ships from the atelier`,
  description: 'Same leather line, ask for the album with all colours.',
  price: { amount: 1_900, currency: 'USD' },
})

/** Of honest-N and fake-N, said in the Nth minute. */
export const wordOn = ({ listingId, decisionId }: Decision): Verdict => {
  const [kind, number] = listingId.split('-')
  return {
    verdictId: `v-${listingId}`,
    listingId,
    revision: 1,
    decisionId,
    verdict: kind === 'honest' ? 'rejected' : 'confirmed',
    by: { subject: 'ann', role: 'analyst' },
    at: new Date(Date.UTC(2026, 0, 1, 0, Number(number))).toISOString(),
    source: 'review',
  }
}

/** A listing that is drawn stands for a hundred: of few rows one would decide alone what is better. */
export async function drawNothing(t: GateUnderTest): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'policy-'))
  const file = join(dir, 'policy.json')
  writeFileSync(file, JSON.stringify({ ...defaultPolicy(), audit: { share: 0 } }))
  const { code, err } = await ran(['policies', 'publish', file], { DATABASE_URL: t.url })
  rmSync(dir, { recursive: true })
  if (code !== 0) throw new Error(`the policy was not published: ${err}`)
  await t.until('nothing is drawn', async () => t.gate.live.current().policy.policy.audit.share === 0)
}

/** By the log, as a review tool does; they are in the store when it resolves. */
export async function sayByLog(t: GateUnderTest, verdicts: readonly Verdict[]): Promise<void> {
  const { log, topics, groups, store } = t.gate
  await log.append(
    topics.verdicts,
    verdicts.map((verdict) => ({
      key: Buffer.from(verdict.listingId),
      ...encodeEvent(verdictRecorded, verdict, {
        id: verdict.verdictId,
        source: '/review-tool',
        time: verdict.at,
        subject: verdict.listingId,
      }),
    })),
  )
  for (const { partition, low, high } of await log.ranges(topics.verdicts))
    await t.until(
      'the verdicts are read',
      async () => (await store.place(groups.verdicts, topics.verdicts, partition, low)) >= high,
    )
}
