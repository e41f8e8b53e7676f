// Reviewing in the store: one transaction that locks the listing, reads its case as it is by now, and writes what was settled.
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { Decision } from '../../domain/decision.ts'
import type { Verdict } from '../../domain/verdict.ts'
import type { JoinedPictures, LookForOfficials } from '../../pipeline/verdicts/ports.ts'
import type { About, Appeal, ClaimEnd, ReviewStore, ReviewSubject, Settlement } from '../../pipeline/review/ports.ts'
import { bankEffects } from './bank-joins.ts'
import { lookAhead, type LookOptions } from './look-ahead.ts'
import { shownInCase } from './of-case.ts'
import { picturesOfCase } from './pictures-of-case.ts'
import { nameListings } from './name-listings.ts'
import type { Outputs } from './outputs.ts'
import { assertWritable, writeSettlement } from './settlement.ts'
import { readStandings, standingsFrom } from './standings.ts'
import type { Statement } from './statement.ts'
import type { Tables } from './tables.ts'
import { inTransactionFrom } from './transaction.ts'
import type { Transaction } from './transaction.ts'
import { recordVerdicts, VERDICT, verdictOf, type VerdictRow } from './verdict-rows.ts'

export interface ReviewStoreOptions {
  readonly pool: Pool
  /** Where pictures are looked up before a verdict, so that nobody who decides waits for it; as long as not said `pool`. */
  readonly looking?: Pool
  /** The outputs that the gate's store was created with. */
  readonly outputs: Outputs
  /** Without it all is compared in the transaction: for few official pictures. */
  readonly officials?: LookForOfficials
  readonly elsewhere?: LookOptions
}

/** Of a case: five times as many as it is shown with. A seller who edits without end must not fill anyone's memory. */
const MOST_PICTURES = 1_000

type End<T> =
  | { readonly answer: T | undefined }
  | { readonly accounts: readonly JoinedPictures[]; readonly answered: (accounts: readonly JoinedPictures[]) => T }
  | 'taken'
type Asked = Parameters<ReviewStore['settle']>[1]

/** Another verdict took the id while we settled: the next round knows it. More rounds would need one id for many listings. */
const ROUNDS = 5

/** Locks in the order of the gate's store: the listing, then verdicts, then the outbox. */
export function createReviewStore({
  pool,
  looking = pool,
  outputs,
  officials,
  elsewhere,
}: ReviewStoreOptions): ReviewStore {
  return {
    async settle<T>(about: About, asked: Asked, settle: (subject: ReviewSubject, now: Date) => Settlement<T>) {
      const look =
        asked.confirms && 'caseId' in about
          ? await lookAhead(looking, shownInCase(theCase(about), { ...asked, ...about }), officials, elsewhere)
          : undefined
      for (let round = 0; round < ROUNDS; round++) {
        const first = [lock(about)] as const
        const end = await inTransactionFrom<End<T>, typeof first>(pool, first, async (tx, [locked]) => {
          const listingId = locked.rows[0]?.listing_id
          const known = listingId === undefined ? undefined : await readSubject(tx, listingId, about, asked)
          if (listingId === undefined || known === undefined) return { undo: { answer: undefined } }
          const { answer, writes, joined } = settle(known.subject, known.now)
          if (writes === undefined) return { undo: { answer } }
          assertWritable(writes, new Set([listingId]))
          if (!(await recordVerdicts(tx, writes.verdicts))) return { undo: 'taken' }
          if (!asked.confirms && (writes.bankJoins ?? []).length > 0)
            throw new Error('pictures join without a look at what others show')
          const { bankJoins: joins = [], bankLeaves: leaves = [], bankDisputes } = writes
          const { accounts, statements } = bankEffects(joins, leaves, look, bankDisputes)
          const last = [...writeAppeals(writes.appeals), ...writeSettlement(writes, outputs, statements)]
          if (accounts === undefined || joined === undefined) return { done: { answer }, last }
          return {
            done: { answer },
            last,
            heard: (answers) => ({
              accounts: (answers[last.indexOf(accounts)]?.rows ?? []) as JoinedPictures[],
              answered: joined,
            }),
          }
        })
        if (end === 'taken') continue
        if ('answer' in end) return end.answer
        const { accounts, answered } = end
        // What others sell is no rights holder's business.
        if (look === undefined || !('caseId' in about) || about.brandIds !== undefined) return answered(accounts)
        const { caseId } = about
        return answered(await Promise.all(accounts.map((one) => nameListings(looking, one, caseId, look))))
      }
      throw new Error('the ids of verdicts are taken by others again and again')
    },

    async claim(caseId, by, seconds, brandIds): Promise<ClaimEnd | undefined> {
      const taken = await pool.query<{ until: Date | null }>(
        `update review_case set claimed_by = case when $3::float8 > 0 then $2 end,
           claimed_until = case when $3::float8 > 0 then clock_timestamp() + $3::float8 * interval '1 second' end
         where case_id = $1 and state = 'open' and ($4::text[] is null or brand_ids && $4)
           and (claimed_by is null or claimed_by = $2 or claimed_until <= clock_timestamp())
         returning claimed_until as until`,
        [caseId, by, seconds, brandIds ?? null],
      )
      const [mine] = taken.rows
      if (mine !== undefined) return { kind: 'claimed', until: mine.until?.toISOString() ?? null }
      const { rows } = await pool.query<{ state: Tables['review_case']['state']; until: Date | null }>(
        `select state, claimed_until as until from review_case
         where case_id = $1 and ($2::text[] is null or brand_ids && $2)`,
        [caseId, brandIds ?? null],
      )
      const [row] = rows
      if (row === undefined) return undefined
      if (row.state !== 'open') return { kind: 'closed', state: row.state }
      return { kind: 'taken', until: (row.until ?? new Date()).toISOString() }
    },
  }
}

/** The condition is looked at again when the lock is there: a case may have gone over to other brands meanwhile. */
const lock = (about: About): Statement<{ listing_id: string }> =>
  'caseId' in about
    ? sql<{ listing_id: string }>`
      select l.listing_id from review_case c join listing l on l.listing_id = c.listing_id
      where ${theCase(about)} for update of l`
    : sql<{ listing_id: string }>`
      select listing_id from listing
      where listing_id = ${about.listingId} and revision > 0
        and (${about.marketplace ?? null}::text is null or marketplace = ${about.marketplace ?? null}::text)
      for update`

const theCase = ({ caseId, brandIds }: Extract<About, { caseId: string }>): Statement<boolean> =>
  sql<boolean>`c.case_id = ${caseId} and (${brandIds ?? null}::text[] is null or c.brand_ids && ${brandIds ?? null}::text[])`

type CaseRow = Pick<Tables['review_case'], 'case_id' | 'listing_id' | 'revision' | 'state' | 'brand_ids'> & {
  readonly opened_by: 'hold' | 'block' | 'audit' | 'appeal' | 'review'
  readonly opened_at: Date
}

async function readSubject(
  tx: Transaction,
  listingId: string,
  about: About,
  asked: Asked,
): Promise<{ readonly subject: ReviewSubject; readonly now: Date } | undefined> {
  const found =
    'caseId' in about
      ? sql<CaseRow>`select c.* from review_case c where ${theCase(about)}`
      : sql<CaseRow>`
        select c.* from review_case c join listing l on l.listing_id = c.listing_id and l.revision = c.revision
        where l.listing_id = ${listingId} order by c.state = 'open' desc, c.opened_at desc limit 1`
  const [clock, cases, standings] = await tx.send([
    sql<{ now: Date }>`select clock_timestamp() as now`,
    found,
    readStandings([{ listingId, revision: 0 }]),
  ])
  const now = clock.rows[0]?.now
  const row = cases.rows[0]
  const standing = standingsFrom(standings.rows).get(listingId)
  if (now === undefined || standing === undefined || ('caseId' in about && row === undefined)) return undefined

  const own = 'caseId' in about ? about.brandIds : undefined
  const revisions = [...new Set([standing.revision, row?.revision ?? standing.revision])]
  const [decisions, verdicts, recorded, appeals, pictures] = await tx.send([
    sql<{ body: Decision }>`
      select body from decision where listing_id = ${listingId} and decision_id = ${asked.decisionId ?? null}::uuid
      union all
      select d.body from unnest(${revisions}::int[]) x (revision) cross join lateral (
        (select body from decision where listing_id = ${listingId} and revision = x.revision order by sequence desc limit 1)
        union all
        (select body from decision where listing_id = ${listingId} and revision = x.revision and stage <> 'review'
         order by sequence desc limit 1)) d`,
    // Instants of ours have milliseconds, the database's microseconds.
    sql<VerdictRow & { before: boolean }>`
      select coalesce(date_trunc('milliseconds', v.recorded_at) <= ${row?.opened_at.toISOString() ?? null}::timestamptz, false) as before,
      ${VERDICT} where v.listing_id = ${listingId}
        and (v.revision = any(${revisions}::int[]) or coalesce(v.body ->> 'caseId', ${row?.case_id ?? null}) = ${row?.case_id ?? null})`,
    sql<{ body: Verdict }>`select body from verdict where verdict_id = any(${asked.verdictIds}::text[])`,
    sql<{ appeal_id: string }>`select appeal_id from appeal where case_id = ${row?.case_id ?? null}`,
    picturesOfCase(
      row?.case_id ?? null,
      sql`(s.revision = ${row?.revision ?? null} or ${own ?? null}::text[] is null or s.brand_ids && ${own ?? null}::text[])`,
      MOST_PICTURES,
    ),
  ])
  const bySequence = new Map(decisions.rows.map(({ body }) => [body.sequence, body]))
  return {
    now,
    subject: {
      standing,
      decisions: [...bySequence.values()],
      verdicts: verdicts.rows.map(verdictOf).filter((v) => revisions.includes(v.revision) || v.caseId === row?.case_id),
      before: new Set(verdicts.rows.filter((v) => v.before).map(({ body }) => body.verdictId)),
      recorded: new Map(recorded.rows.map(({ body }) => [body.verdictId, body])),
      appeals: new Set(appeals.rows.map((one) => one.appeal_id)),
      one:
        row === undefined
          ? undefined
          : {
              caseId: row.case_id,
              listingId,
              revision: row.revision,
              state: row.state,
              openedBy: row.opened_by,
              brandIds: row.brand_ids,
              pictures: pictures.rows,
            },
    },
  }
}

function writeAppeals(appeals: readonly Appeal[]): Statement[] {
  return appeals.map(
    (one) => sql`
    insert into appeal (appeal_id, case_id, listing_id, revision, text, by)
    values (${one.appealId}, ${one.caseId}, ${one.listingId}, ${one.revision}, ${one.text}, ${one.by})`,
  )
}
