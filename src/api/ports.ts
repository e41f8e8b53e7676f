// What the HTTP layer needs besides the pipeline's ports: keys, sessions, the flows it starts, what it reports on.
import type { ApiKey, Caller } from '../domain/access.ts'
import type { Decision } from '../domain/decision.ts'
import type { Listing, Price } from '../domain/listing.ts'
import type { ModelName } from '../domain/model.ts'
import type { Activation, AskedVersions, ModelRecord, TrainingState } from '../learning/ports.ts'
import type { Outcome } from '../pipeline/outcome.ts'
import type { Appended, NewRecord } from '../pipeline/log/ports.ts'
import type { FeedEntry } from '../pipeline/ports.ts'
import type { BankScope } from '../rights/bank-ports.ts'
import type { ActivatedPolicy } from '../rights/ports.ts'

export interface KeyStore {
  create(key: Omit<ApiKey, 'createdAt' | 'revokedAt'>, hash: Uint8Array): Promise<ApiKey>
  /** Revoked keys are found too: the caller looks at `revokedAt`. */
  findByHash(hash: Uint8Array): Promise<ApiKey | undefined>
  list(): Promise<ApiKey[]>
  /** False when there is no such key; revoking twice is no error. */
  revoke(keyId: string): Promise<boolean>
}

export interface SessionStore {
  /** A browser session or, with `oneTime`, a sign-in token that `takeToken` consumes. */
  create(hash: Uint8Array, caller: Caller, seconds: number, oneTime: boolean): Promise<void>
  /** The caller of a session that has not expired; never of a one-time token. */
  find(hash: Uint8Array): Promise<Caller | undefined>
  /** The caller of a one-time token, exactly once. */
  takeToken(hash: Uint8Array): Promise<Caller | undefined>
  end(hash: Uint8Array): Promise<void>
}

/** A listing that was read, found sound and written as the record that the log will hold. */
export interface SubmittedListing {
  readonly listing: Listing
  readonly contentHash: string
  readonly record: NewRecord
}

export interface Withdrawal {
  readonly listingId: string
  readonly revision: number
  readonly marketplace: string | undefined
}

/**
 * The pipeline's own parser and its log, as the HTTP layer uses them: the same bytes must be read in the same way
 * wherever they come in.
 */
export interface Intake {
  /** The input coordinates that `DecisionReader.endOf` is asked with. */
  readonly topic: string
  readonly group: string
  /**
   * Reads the bytes of one `listing.submitted` value. Never throws for what the bytes say: `refuse` and `deadLetter`
   * carry the code and the place. `marketplace` is that of a bound key: a listing that names none is given it before the
   * content hash is taken, one that names another is refused as `marketplace-mismatch`.
   */
  readListing(value: Uint8Array, marketplace: string | undefined): Outcome<SubmittedListing>
  /** The record of a `listing.withdrawn`. */
  withdrawal(withdrawal: Withdrawal): NewRecord
  /** Resolves when all records are durable, in their order. */
  append(records: readonly NewRecord[]): Promise<Appended[]>
}

/** The dry run: the same evaluation as the worker's, `sequence` 1, nothing recorded. */
export type DryRun = (submitted: SubmittedListing) => Promise<Outcome<Decision>>

/**
 * Checks a policy document (schema, rules compile, its examples hold) and publishes it as the next version; `version` in
 * the document is ignored. Throws `policy-invalid` with `path` and `policy-conflict`.
 */
export type PublishPolicy = (document: unknown, by: string, basedOn: number | undefined) => Promise<ActivatedPolicy>

/** Makes the version before the active one active again. Throws `nothing-to-roll-back`. */
export type RollbackPolicy = (by: string) => Promise<ActivatedPolicy>

/** One thing that must make progress. */
export interface ReadinessCheck {
  /** Such as `store`, `log`, `worker`, `publisher`, `clock`, `reference-data`. */
  readonly name: string
  readonly ok: boolean
  /** What is stale and for how long; no hosts, credentials or queries: anyone may read it. */
  readonly detail: string
}

/** Ready when every check is. Bounded in time: a check that hangs is a check that failed. */
export type ReadinessProbe = () => Promise<readonly ReadinessCheck[]>

/** Calls back whenever decisions may have been written, so that waiting requests look at once. A hint; returns the way to stop. */
export type DecisionHints = (listener: () => void) => () => void

/** What a person needs beside a decision to know which goods it is about. */
export interface ListingSummary {
  readonly listingId: string
  readonly revision: number
  readonly title: string
  readonly brand: string | undefined
  readonly price: Price | undefined
}

export interface ListingSummaryReader {
  /** Those that are recorded, in any order; at most 500 are asked for at once. */
  summaries(ids: readonly { readonly listingId: string; readonly revision: number }[]): Promise<ListingSummary[]>
}

/** Pictures as they were kept, for who looks at banks and cases. */
export interface KeptPictureReader {
  /** WebP. Undefined where it belongs to no bank and no case within the scope. */
  body(sha256: string, scope: BankScope): Promise<Uint8Array | undefined>
}

export interface RecentDecisions {
  /** The newest `limit` entries of the feed, oldest of them first, and the cursor after them: what a page shows when it opens. */
  recent(limit: number, marketplace: string | undefined): Promise<{ entries: FeedEntry[]; next: string }>
}

/** The learning loop as analysts drive it. */
export interface Learning {
  list(): Promise<{
    /** `problem`: why one that is active cannot be loaded. */
    items: readonly (ModelRecord & { readonly problem?: string })[]
    shipped: Record<ModelName, string>
    /** The last one, whichever process ran it. */
    training: TrainingState | null
  }>
  /** Begins one and does not wait for its end. Throws `training-running`. */
  train(name: ModelName | 'all', seed: number, by: string): Promise<TrainingState>
  /** Throws `not-found`, `model-invalid`, `model-loses`, `model-unmeasured`, `model-mismatch`, `model-conflict`. */
  promote(asked: AskedVersions, options: { readonly by: string; readonly force: boolean }): Promise<Activated>
  /** `all`: both as one change. Throws `nothing-to-roll-back`, `model-mismatch`. */
  rollback(name: ModelName | 'all', options: { readonly by: string; readonly force: boolean }): Promise<Activated>
}

/** What a promotion, or going back, led to; of both models it is the fusion's, with the text model beside it. */
export interface Activated extends Activation {
  readonly text?: Activation
  readonly overruled: readonly string[]
  readonly warnings: readonly string[]
  readonly scope?: string | undefined
}
