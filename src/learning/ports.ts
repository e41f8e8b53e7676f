// What learning needs of the store: the labels that verdicts gave, and the registry of models with what is active.
import type { Decision } from '../domain/decision.ts'
import type { Listing } from '../domain/listing.ts'
import type { ActiveModel, ModelCard, ModelName } from '../domain/model.ts'
import type { SignalResult } from '../domain/signal-result.ts'
import type { Verdict } from '../domain/verdict.ts'

/** What a person said of one revision of a listing for one brand, and all that was known when it was said. */
export interface LabelledListing {
  /** As it is stored for the revision that the verdict is about. */
  readonly listing: Listing
  /** Of the decision that the person looked at, as they were then. */
  readonly signals: readonly SignalResult[]
  readonly label: 'confirmed' | 'rejected'
  /** For which brand it speaks; null: for all. */
  readonly brandId: string | null
  /**
   * When the gate first decided that revision, RFC 3339 in UTC: neither its seller nor who reviews chooses it. By the time
   * of the verdict the riskiest would stand first wherever they are looked at first.
   */
  readonly at: string
  /** When the verdict came into the store, RFC 3339 in UTC: what was there for a training to learn from. */
  readonly recordedAt: string
  /** Whoever said it: for how many a person speaks, and how, belongs on the card. */
  readonly saidBy: Verdict['by']
  readonly sellerId: string
  /** `placeOf`. */
  readonly marketplace: string | null
  /** It would have gone on sale unseen and was drawn for an audit. */
  readonly drawn: boolean
  /** How many listings it stands for: 1, and for a drawn one 1 by the share that is drawn. */
  readonly weight: number
}

export type RecordedVerdict = Verdict & {
  /** By the store's clock, RFC 3339 in UTC. */
  readonly recordedAt: string
}

/** A revision that anybody ever spoke of, whatever counts of it now: a version may have learnt from it. */
export type Spoken = Pick<LabelledListing, 'sellerId' | 'at' | 'marketplace'> & {
  /** Its `patternOf`: made when it is read, and kept nowhere. */
  readonly pattern: string
}

/** One revision that people looked at, with all that is recorded of it. */
export interface JudgedRevision {
  readonly listing: Listing
  readonly sellerId: string
  readonly marketplace: string | null
  /** In the order in which they were recorded; superseded ones too, but for those that one on another revision replaced. */
  readonly verdicts: readonly RecordedVerdict[]
  /** All on this revision, in order of sequence. */
  readonly decisions: readonly Decision[]
}

export interface LabelStore {
  /** Every revision with a verdict, by listing and revision, a bounded number in memory at a time. */
  judged(): AsyncIterable<JudgedRevision>
}

/** A version as the registry keeps it. */
export interface ModelRecord {
  readonly name: ModelName
  readonly version: string
  /** Of the bytes. */
  readonly sha256: string
  readonly card: ModelCard
  readonly madeAt: string
  readonly madeBy: string
  readonly active: boolean
}

export interface KeptModel {
  readonly record: ModelRecord
  /** The same version was made before. */
  readonly present: boolean
  /** Its bytes were damaged, and were written anew. */
  readonly mended: boolean
}

export interface NewModel {
  readonly card: ModelCard
  readonly body: Uint8Array
  readonly by: string
}

/** What an activation led to; `version` null: what ships decides again. */
export interface Activation {
  readonly name: ModelName
  readonly version: string | null
  /** The version that decided until now. */
  readonly before: string | null
  readonly change: bigint
}

/** Versions that shall decide, one or both; what ships by its own name. */
export type AskedVersions =
  | { readonly fusion: string; readonly text?: string | undefined }
  | { readonly fusion?: undefined; readonly text: string }

/** Of both models by one change: who follows has both before it or both behind it. */
export type BothActivations = Readonly<Record<ModelName, Activation>>

/** The highest change of what a promotion was held against, as they were read before anything else was. */
export interface HeldAgainst {
  readonly policy: bigint
  readonly models: bigint
}

export interface ModelStore {
  /**
   * Keeps a version. The same version with the same bytes again says `present` and changes nothing, but where the stored bytes
   * were damaged: these take their place, and it says `mended`. With other bytes it is refused as `model-invalid`, and so are
   * bytes that are not what the card's `sha256` says.
   */
  put(model: NewModel): Promise<KeptModel>
  /** Newest first. */
  list(name?: ModelName): Promise<ModelRecord[]>
  find(name: ModelName, version: string): Promise<ModelRecord | undefined>
  /** At most one for each name; where one is missing what ships decides. */
  active(): Promise<ModelRecord[]>
  /** The bytes, checked against their hash. Throws `not-found`, and `model-invalid` where they were damaged. */
  body(name: ModelName, version: string): Promise<Uint8Array>
  /**
   * Makes a version decide, null: what ships. Throws `not-found`; one that is active already is left as it is. Throws
   * `model-conflict`, and changes nothing, where another policy or a version of either model has become active since `against`.
   */
  promote(name: ModelName, version: string | null, by: string, against?: HeldAgainst): Promise<Activation>
  /** A version of each as one change, as `promote` does: both decide, or neither. */
  promoteBoth(
    versions: Readonly<Record<ModelName, string | null>>,
    by: string,
    against?: HeldAgainst,
  ): Promise<BothActivations>
  /**
   * Goes back to what decided before; again one more, to what ships at last. Throws `nothing-to-roll-back`, and what `check`
   * throws of the version that would decide in the place of those that do, which nobody changes in between; then nothing changes.
   */
  rollback(
    name: ModelName,
    by: string,
    check?: (version: string | null, active: readonly ActiveModel[]) => void,
  ): Promise<Activation>
  /** Each model a step as one change, as `rollback` does. `check` is told what would be active, and what is. */
  rollbackBoth(
    by: string,
    check?: (then: readonly ActiveModel[], now: readonly ActiveModel[]) => void,
  ): Promise<BothActivations>
}

/** A promoted version beside which nothing could be made, and why; a type, as a card keeps it as JSON. */
export type Unloadable = { readonly name: ModelName; readonly version: string; readonly why: string }

export interface TrainingState {
  readonly trainingId: string
  readonly state: 'running' | 'done' | 'failed'
  readonly models: ModelName[]
  readonly seed: number
  readonly by: string
  readonly startedAt: string
  readonly endedAt?: string
  readonly labels?: number
  readonly learntFrom?: number
  readonly heldOut?: number
  readonly leftOut?: { repeated: number; sellerOnBothSides: number; wordsOnBothSides: number }
  readonly made?: { name: ModelName; version: string; present: boolean; mended: boolean }[]
  readonly refused?: { name: ModelName; code: string; message: string }[]
  readonly unloadable?: Unloadable[]
  readonly problem?: { code: string; message: string }
}

export interface TrainingTurn {
  /** Says how it ended, and lets others begin. */
  end(state: TrainingState): Promise<void>
}

/** One training at a time in a store, whichever process runs it. */
export interface Trainings {
  /** Throws `training-running`. The turn ends with the process that has it, however that ends. */
  begin(state: TrainingState): Promise<TrainingTurn>
  /** The latest; one whose process ended before it did is told as failed. */
  last(): Promise<TrainingState | null>
}
