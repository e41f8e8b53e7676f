// A person's word by HTTP: what a reviewer says on a case, and what a seller answers.
//
//   1. lock      one store transaction: the listing's row, then the case, its decisions and verdicts as they are by now
//   2. settle    who was first counts: recorded, known already, or refused with what stands; the same rules as for
//                verdicts that come in from the log decide what it means
//   3. write     verdict (which is the label), decision, case, and the outbox rows of both, or nothing
//   4. tell      metrics, and a nudge to who waits
import { v4 } from 'uuid'
import type { Caller } from '../domain/access.ts'
import type { TopicNames } from '../events/topics.ts'
import type { Telemetry } from '../telemetry.ts'
import { startWork, type ReviewAnswer, type Stands } from './review/answer.ts'
import type { About, ReviewStore } from './review/ports.ts'
import { settleAppeal, settleReopening, type Reopening } from './review/settle-reopening.ts'
import { settleCaseVerdict, type SaidOnCase } from './review/settle-verdict.ts'

export type { ReviewAnswer } from './review/answer.ts'

export interface ReviewOptions {
  readonly store: ReviewStore
  readonly topics: TopicNames
  readonly telemetry: Telemetry
  /** Seconds until somebody should look at what is opened again: the policy's for a hold. */
  readonly dueSeconds: () => number
  /** Called after a request that wrote something. */
  readonly decided?: (() => void) | undefined
}

/** What a reviewer says; an id of its own makes a repeated request count once. */
export type VerdictRequest = Pick<SaidOnCase, 'verdict' | 'decisionId'> & {
  readonly [Field in 'verdictId' | 'reason' | 'note' | 'brandId' | 'supersedes']?: string | undefined
} & { readonly pictures?: SaidOnCase['pictures'] | undefined }
export type ReopenRequest = Pick<Reopening, 'reason' | 'takeBack'> & { readonly verdictId?: string | undefined }

/** undefined everywhere: there is no such case or listing for this caller. */
export interface Review {
  verdict(caseId: string, caller: Caller, said: VerdictRequest): Promise<ReviewAnswer | undefined>
  reopen(caseId: string, caller: Caller, asked: ReopenRequest): Promise<ReviewAnswer | undefined>
  appeal(listingId: string, caller: Caller, text: string): Promise<ReviewAnswer | undefined>
  /** What is decided by now on the listing of a case; nothing is written. */
  stands(caseId: string, caller: Caller): Promise<Stands | undefined>
  claim: (caseId: string, caller: Caller, seconds: number) => ReturnType<ReviewStore['claim']>
}

/** The brands that a caller may see and speak for; undefined: all. */
const brandsOf = ({ role, brandIds }: Caller): readonly string[] | undefined =>
  role === 'brand' ? brandIds : undefined

export function createReview({ store, topics, telemetry, dueSeconds, decided }: ReviewOptions): Review {
  const { metrics } = telemetry

  function told(answer: ReviewAnswer | undefined): ReviewAnswer | undefined {
    if (answer?.kind !== 'recorded') return answer
    for (const { verdict } of answer.verdicts) metrics.touchstone_verdicts_total.inc({ verdict })
    for (const { outcome, stage } of answer.decisions) metrics.touchstone_decisions_total.inc({ outcome, stage })
    metrics.touchstone_appeals_total.inc(answer.appeals)
    decided?.()
    return answer
  }
  const byOf = ({ subject, role }: Caller) => ({ subject, role })

  return {
    async verdict(caseId, caller, said) {
      const own = brandsOf(caller)
      const { verdictId = v4(), reason = null, note = null, brandId = null, supersedes = null, decisionId } = said
      const { pictures = null } = said
      const asked = {
        verdictId,
        verdict: said.verdict,
        reason,
        note,
        brandId,
        supersedes,
        pictures,
        decisionId,
        by: byOf(caller),
        own,
      }
      const wanted = { verdictIds: [verdictId], decisionId, confirms: said.verdict === 'confirmed', brandId, pictures }
      const answer = await store.settle({ caseId, brandIds: own }, wanted, (found, now) =>
        settleCaseVerdict(found, caseOf(found), asked, { topics, now }),
      )
      return told(answer)
    },

    async reopen(caseId, caller, { verdictId = v4(), ...asked }) {
      const about: About = { caseId, brandIds: brandsOf(caller) }
      const answer = await store.settle(about, { verdictIds: [verdictId], confirms: false }, (found, now) =>
        settleReopening(
          found,
          caseOf(found),
          { verdictId, ...asked, by: byOf(caller) },
          { topics, now, dueSeconds: dueSeconds() },
        ),
      )
      return told(answer)
    },

    async appeal(listingId, caller, text) {
      const about: About = { listingId, marketplace: caller.marketplace }
      const answer = await store.settle(about, { verdictIds: [], confirms: false }, (found, now) =>
        settleAppeal(found, { text, by: caller.subject }, { topics, now, dueSeconds: dueSeconds() }),
      )
      return told(answer)
    },

    stands: (caseId, caller) =>
      store.settle({ caseId, brandIds: brandsOf(caller) }, { verdictIds: [], confirms: false }, (found) => ({
        answer: startWork(found, caseOf(found), topics).known().answer.stands,
      })),

    claim: (caseId, caller, seconds) => store.claim(caseId, caller.subject, seconds, brandsOf(caller)),
  }
}

function caseOf<One>({ one }: { readonly one: One | undefined }): One {
  if (one === undefined) throw new Error('the store found a case and did not give it')
  return one
}
