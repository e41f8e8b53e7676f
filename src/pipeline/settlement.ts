// Collects what one transaction will write while records are settled one after the other against the listings' standing.
import { forMarketplaces } from '../domain/bank-evidence.ts'
import type { Decision } from '../domain/decision.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { Verdict } from '../domain/verdict.ts'
import { listingDecided, listingRefused, verdictRecorded } from '../events/index.ts'
import type { TopicNames } from '../events/topics.ts'
import { encodeEvent } from '../events/wire.ts'
import type {
  CaseChange,
  CasePicture,
  OutboxRow,
  Settlement,
  Standing,
  WantedRescreen,
  WithdrawnUnknown,
} from './ports.ts'
import { refusalId } from './ids.ts'
import { GATE_SOURCE } from './sources.ts'

/** A listing's standing while a batch is settled: the row as it was read, then as each record leaves it. */
export interface Draft {
  listingId: string
  marketplace: string | null
  sellerId: string | null
  revision: number
  sequence: number
  outcome: Standing['outcome']
  withdrawnRevision: number
  withdrawnByOthers: readonly WithdrawnUnknown[]
  caseId: string | null
  withdrawnCaseId: string | null
  caseBrandIds: readonly string[]
  holdUntil: string | null
  hashes: Map<number, string>
  changed: boolean
}

type Revision = Settlement['revisions'][number]
type RefusalAt = Settlement['refusals'][number]

export class SettlementDraft {
  readonly #topics: TopicNames
  readonly #drafts = new Map<string, Draft>()
  readonly #standings: ReadonlyMap<string, Standing>
  readonly #revisions: Revision[] = []
  readonly #decisions: Decision[] = []
  readonly #shown = new Map<string, string>()
  readonly #cases: CaseChange[] = []
  readonly #refusals: RefusalAt[] = []
  readonly #outbox: OutboxRow[] = []
  readonly #casePictures: CasePicture[] = []
  readonly #rescreens = new Map<string, WantedRescreen>()

  constructor(standings: ReadonlyMap<string, Standing>, topics: TopicNames) {
    this.#standings = standings
    this.#topics = topics
  }

  /** The listing as the records before this one in the same batch left it. */
  of(listingId: string): Draft {
    let draft = this.#drafts.get(listingId)
    if (draft === undefined) {
      const row = this.#standings.get(listingId)
      draft = {
        listingId,
        marketplace: row?.marketplace ?? null,
        sellerId: row?.sellerId ?? null,
        revision: row?.revision ?? 0,
        sequence: row?.sequence ?? 0,
        outcome: row?.outcome ?? null,
        withdrawnRevision: row?.withdrawnRevision ?? 0,
        withdrawnByOthers: row?.withdrawnByOthers ?? [],
        caseId: row?.caseId ?? null,
        withdrawnCaseId: row?.withdrawnCaseId ?? null,
        caseBrandIds: row?.caseBrandIds ?? [],
        holdUntil: null,
        hashes: new Map(row?.hashes ?? []),
        changed: false,
      }
      this.#drafts.set(listingId, draft)
    }
    return draft
  }

  revision(entry: Revision): void {
    this.#revisions.push(entry)
  }

  case(change: CaseChange): void {
    this.#cases.push(change)
  }

  casePicture(picture: CasePicture): void {
    this.#casePictures.push(picture)
  }

  /** At most one a listing: of a batch the last one counts. */
  rescreen(wanted: WantedRescreen): void {
    this.#rescreens.set(wanted.listingId, wanted)
  }

  /** `shown`: the digest of the pictures that were looked at for it. */
  decision(decision: Decision, shown?: string): void {
    this.#decisions.push(decision)
    if (shown !== undefined) this.#shown.set(decision.decisionId, shown)
    const { value, headers } = encodeEvent(listingDecided, forMarketplaces(decision), {
      id: decision.decisionId,
      source: GATE_SOURCE,
      time: decision.decidedAt,
      subject: decision.listingId,
    })
    this.#send(this.#topics.decisions, decision.listingId, value, headers, decision.marketplace ?? null)
  }

  refusal(refusal: Refusal, at: { topic: string; partition: number; offset: bigint }): void {
    this.#refusals.push({ refusal, ...at })
    const { value, headers } = encodeEvent(listingRefused, refusal, {
      id: refusalId(refusal.listingId, refusal.revision, at),
      source: GATE_SOURCE,
      time: refusal.at,
      subject: refusal.listingId,
    })
    this.#send(this.#topics.decisions, refusal.listingId, value, headers, refusal.marketplace ?? null)
  }

  /** One that this gate records itself; its reader passes over what comes from here. */
  verdict(verdict: Verdict): void {
    const { value, headers } = encodeEvent(verdictRecorded, verdict, {
      id: verdict.verdictId,
      source: GATE_SOURCE,
      time: verdict.at,
      subject: verdict.listingId,
    })
    this.#send(this.#topics.verdicts, verdict.listingId, value, headers, this.of(verdict.listingId).marketplace)
  }

  deadLetter(row: Pick<OutboxRow, 'key' | 'value' | 'headers'>): void {
    this.#outbox.push({ ...row, topic: this.#topics.deadLetters, marketplace: null })
  }

  #send(
    topic: string,
    key: string,
    value: Uint8Array,
    headers: OutboxRow['headers'],
    marketplace: string | null,
  ): void {
    this.#outbox.push({ topic, key: Buffer.from(key), value, headers, marketplace })
  }

  done(): Settlement {
    const standings = [...this.#drafts.values()].filter((d) => d.changed)
    return {
      standings,
      revisions: this.#revisions,
      decisions: this.#decisions,
      shown: this.#shown,
      cases: this.#cases,
      refusals: this.#refusals,
      outbox: this.#outbox,
      casePictures: this.#casePictures,
      rescreens: [...this.#rescreens.values()],
    }
  }
}
