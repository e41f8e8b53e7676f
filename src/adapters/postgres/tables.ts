// The tables as TypeScript sees them; migrations.ts is what they are.
import type { ColumnType, Generated } from 'kysely'
import type { Role } from '../../domain/access.ts'
import type { Brand } from '../../domain/brand.ts'
import type { CaseOpener, CaseState } from '../../domain/case.ts'
import type { Decision, Stage } from '../../domain/decision.ts'
import type { ModelCard, ModelName } from '../../domain/model.ts'
import type { Outcome, Policy } from '../../domain/policy.ts'
import type { Refusal, RefusalCode } from '../../domain/refusal.ts'
import type { Verdict } from '../../domain/verdict.ts'

/** bigint: read as decimal text, because a number would lose digits. */
type Bigint = ColumnType<string, string, string>
/** json and jsonb: read as the value, written as its text. */
type Document<T> = ColumnType<T, string, string>
type Instant = ColumnType<Date, string, string>
type InstantOrNull = ColumnType<Date | null, string | null, string | null>
type Defaulted = ColumnType<Date, never, never>

interface Place {
  topic: string
  part: number
}

export interface Tables {
  input_offset: Place & { grp: string; next: Bigint }
  listing: {
    listing_id: string
    marketplace: string | null
    seller_id: string | null
    revision: Generated<number>
    sequence: Generated<number>
    outcome: Outcome | null
    withdrawn_revision: Generated<number>
    withdrawn_by_others: Generated<unknown>
    case_id: string | null
    hold_until: InstantOrNull
  }
  revision: {
    listing_id: string
    revision: number
    content_hash: string
    submitted_at: Instant
    listing: Document<unknown>
  }
  decision: {
    listing_id: string
    revision: number
    sequence: number
    decision_id: string
    stage: Stage
    outcome: Outcome
    risk: number
    decided_at: Instant
    body: Document<Decision>
    /** The digest of what was seen to be shown, empty: nothing; null: a version from before that was named wrote it. */
    shown: Buffer | null
  }
  refusal: Place & {
    pos: Bigint
    listing_id: string
    revision: number
    code: RefusalCode
    at: Instant
    body: Document<Refusal>
  }
  review_case: {
    case_id: string
    listing_id: string
    revision: number
    state: CaseState
    risk: number
    brand_ids: string[]
    due_at: InstantOrNull
    opened_at: Instant
    closed_at: InstantOrNull
    opened_by: ColumnType<CaseOpener, CaseOpener | undefined, CaseOpener>
    /** That the gate stopped, or drew; null: a version from before that was said opened it. */
    opened_revision: number | null
    marketplace: string | null
    claimed_by: string | null
    claimed_until: InstantOrNull
  }
  appeal: {
    appeal_id: string
    case_id: string
    listing_id: string
    revision: number
    text: string
    at: Defaulted
    by: string
  }
  verdict: {
    verdict_id: string
    listing_id: string
    revision: number
    recorded_at: Defaulted
    body: Document<Verdict>
  }
  outbox: Place & {
    pos: Bigint
    key: Buffer | null
    value: Buffer | null
    headers: Buffer
    marketplace: string | null
    at: Instant
  }
  outbox_head: Place & { pos: Bigint; at: Instant }
  outbox_tail: Place & { pos: Bigint }
  outbox_floor: Place & { pos: Bigint }
  outbox_lease: { name: string; owner: string; epoch: Bigint; until: Instant }
  store_identity: { one: Generated<boolean>; id: Generated<string> }
  reference_head: { one: Generated<boolean>; change: Bigint }
  brand: {
    brand_id: string
    version: number
    body: Document<Brand>
    change: Bigint
    changed_at: Defaulted
    changed_by: string
  }
  policy: {
    version: number
    policy_id: string
    body: Document<Policy>
    change: Bigint
    published_at: Defaulted
    published_by: string
  }
  policy_activation: {
    activation: ColumnType<string, never, never>
    version: number
    kind: 'publish' | 'rollback'
    previous: ColumnType<string | null, string | null, never>
    change: Bigint
    at: Defaulted
    by: string
  }
  model: {
    name: ModelName
    version: string
    sha256: string
    card: Document<ModelCard>
    body: Buffer
    made_at: Defaulted
    made_by: string
  }
  model_activation: {
    activation: ColumnType<string, never, never>
    name: ModelName
    version: string | null
    kind: 'promote' | 'rollback'
    previous: ColumnType<string | null, string | null, never>
    change: Bigint
    at: Defaulted
    by: string
  }
  api_key: {
    key_id: string
    hash: Buffer
    role: Role
    brand_ids: string[]
    marketplace: string | null
    created_at: Defaulted
    revoked_at: InstantOrNull
  }
  session: {
    hash: Buffer
    subject: string
    role: Role
    brand_ids: string[]
    marketplace: string | null
    one_time: boolean
    expires_at: Instant
  }
}
