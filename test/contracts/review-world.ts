// Listings that are screened, edited, withdrawn and decided by the clock, and people who speak: the real flows on a store's nodes.
import { topicNames } from '../../src/events/topics.ts'
import { settleDeadlines } from '../../src/pipeline/deadlines.ts'
import type { ListingHistory } from '../../src/pipeline/ports.ts'
import { createReview, type Review, type ReviewAnswer, type VerdictRequest } from '../../src/pipeline/review.ts'
import { settle, type Tried } from '../../src/pipeline/settle.ts'
import type { Outcome } from '../../src/domain/policy.ts'
import type { Caller } from '../../src/domain/access.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { assessment, listingOf } from '../unit/pipeline/assessments.ts'
import type { SharedStore, StoreNode } from './store.ts'
import { GROUP } from './store-samples.ts'
import { twoNodes } from './two-nodes.ts'

export const TOPICS = topicNames('test')

export const analyst: Caller = { subject: 'key:ann', role: 'analyst', brandIds: [] }
export const holder = (...brandIds: string[]): Caller => ({
  subject: `key:${brandIds.join('+')}`,
  role: 'brand',
  brandIds,
})
export const marketplace = (name?: string): Caller => ({
  subject: 'key:shop',
  role: 'ingest',
  brandIds: [],
  marketplace: name,
})

const EVERYTHING = { subject: 'test', brandIds: undefined }
const NO_DECISION = '00000000-0000-4000-8000-000000000000'

export interface Screened {
  readonly outcome?: Outcome
  readonly brandIds?: readonly string[]
  /** Brands in whose banks its pictures are. */
  readonly knownTo?: readonly string[]
  readonly risk?: number
  readonly holdSeconds?: number
  readonly marketplace?: string
  /** For an audit, where it is allowed. */
  readonly drawn?: boolean
}

export interface ReviewWorld {
  readonly node: StoreNode
  /** A verdict without `decisionId` is on the decision that its case shows last, looked up before it is said. */
  readonly review: Omit<Review, 'verdict'> & {
    verdict(
      caseId: string,
      caller: Caller,
      said: Omit<VerdictRequest, 'decisionId'> & { readonly decisionId?: string | undefined },
    ): ReturnType<Review['verdict']>
  }
  screen(listingId: string, revision: number, how?: Screened): Promise<void>
  withdraw(listingId: string, revision: number): Promise<void>
  /** Lets the clock decide what is due by now; false when nothing was. */
  tick(): Promise<boolean>
  /** Throws where nothing is known of it. */
  history(listingId: string): Promise<ListingHistory>
  /** The case that the last of its decisions names; `none` where none does. */
  caseOf(listingId: string): Promise<string>
}

/** `partition`: of its own, so that what two of them send does not wait for one offset. */
export function reviewWorld(node: StoreNode, partition: number): ReviewWorld {
  const { store } = node
  async function take(tried: Tried, listingId: string, revision: number, drawn = false): Promise<void> {
    const from = await store.place(GROUP, TOPICS.listings, partition, 0n)
    const span = { group: GROUP, topic: TOPICS.listings, partition, from, next: from + 1n }
    const record = {
      key: Buffer.from(listingId),
      value: Buffer.from('{}'),
      headers: {},
      offset: from,
      appendedAt: new Date(),
    }
    const result = await store.commit(span, [{ listingId, revision }], (standings, now) => {
      const context = { topics: TOPICS, topic: TOPICS.listings, now, draw: () => drawn, maxDeadLetterBytes: 1 << 20 }
      return settle([{ record, partition, tried }], standings, context).settlement
    })
    if (result !== 'committed') throw new Error(`the record was not committed: ${result}`)
  }
  const review = createReview({
    store: node.review,
    topics: TOPICS,
    telemetry: createTelemetry({ level: 'silent' }),
    dueSeconds: () => 3_600,
  })
  async function history(listingId: string): Promise<ListingHistory> {
    const found = await node.reader.history(listingId)
    if (found === undefined) throw new Error(`${listingId} is not known`)
    return found
  }
  return {
    node,
    review: {
      ...review,
      async verdict(caseId, caller, { decisionId, ...said }) {
        const looked = decisionId ?? (await node.cases.find(caseId, EVERYTHING))?.decisions.at(-1)?.decisionId
        return review.verdict(caseId, caller, { ...said, decisionId: looked ?? NO_DECISION })
      },
    },
    screen(
      listingId,
      revision,
      { outcome = 'hold', brandIds = ['nike'], knownTo = [], risk = 0.5, holdSeconds = 3_600, marketplace, drawn } = {},
    ) {
      const { answer, ...rest } = assessment(outcome)
      const value = {
        kind: 'listing' as const,
        listing: { ...listingOf(listingId, revision), ...(marketplace === undefined ? {} : { marketplace }) },
        bound: false,
        contentHash: `${revision}`.repeat(64).slice(0, 64),
        submittedAt: new Date().toISOString(),
        assessment: {
          ...rest,
          brandIds,
          knownTo,
          risk: { ...rest.risk, risk },
          answer: { ...answer, deadlineSeconds: holdSeconds },
        },
      }
      return take({ kind: 'ok', value }, listingId, revision, drawn)
    },
    withdraw: (listingId, revision) =>
      take({ kind: 'ok', value: { kind: 'withdrawal', identity: { listingId, revision } } }, listingId, revision),
    tick: async () => (await store.settleDue(10, (due, now) => settleDeadlines(due, now, TOPICS).settlement)) > 0,
    history,
    caseOf: async (listingId) =>
      (await history(listingId)).decisions.findLast((d) => d.caseId !== undefined)?.caseId ?? 'none',
  }
}

/** Two processes on one fresh store, which is closed when the test has finished. */
export async function reviewWorlds(start: () => Promise<SharedStore>): Promise<[ReviewWorld, ReviewWorld]> {
  const [one, two] = await twoNodes(start)
  return [reviewWorld(one, 0), reviewWorld(two, 1)]
}

/** What became of words that were said, whatever their order. */
export const ends = (answers: readonly (ReviewAnswer | undefined)[]): string[] =>
  answers.map((one) => (one?.kind === 'refused' ? one.code : (one?.kind ?? 'none'))).toSorted()
