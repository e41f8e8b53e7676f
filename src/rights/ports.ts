// Where brands and policies are kept: versioned rows under one rising change number that workers follow.
import type { Brand } from '../domain/brand.ts'
import type { ActiveModel } from '../domain/model.ts'
import type { Policy } from '../domain/policy.ts'

export interface PolicyRecord {
  readonly policy: Policy
  readonly publishedAt: string
  readonly publishedBy: string
  readonly active: boolean
}

/** Published or rolled back; `warnings`: where it holds what nothing speaks against. */
export interface ActivatedPolicy extends PolicyRecord {
  readonly warnings: string[]
}

/** The highest change of each kind that a gate is made of; 0 where nothing was ever written. Banks are followed apart. */
export interface ReferenceKinds {
  readonly brands: bigint
  readonly policy: bigint
  readonly models: bigint
}

/** All of one moment. */
export interface ReferenceData {
  readonly change: bigint
  readonly kinds: ReferenceKinds
  readonly brands: Brand[]
  readonly policy: Policy | undefined
  /** The active ones, at most one of each name. */
  readonly models: ActiveModel[]
}

/** What is missing of the last three is as it was at `known`. */
export type ReferenceNews = Pick<ReferenceData, 'change' | 'kinds'> &
  Partial<Pick<ReferenceData, 'brands' | 'policy' | 'models'>>

export interface ReferenceStore {
  /** The highest change number: cheap, asked often. */
  change(): Promise<bigint>
  load(): Promise<ReferenceData>
  /** Of one moment too: the number, and those kinds whose highest change is not the known one. */
  news(known: ReferenceKinds): Promise<ReferenceNews>
  /** Resolves or calls back when something changed elsewhere; a hint only. Returns the way to stop. */
  onChange(listener: () => void): Promise<() => Promise<void>>
  upsertBrands(brands: readonly Brand[], by: string): Promise<{ added: number; changed: number; unchanged: number }>
  brand(brandId: string): Promise<Brand | undefined>
  /**
   * Writes what `change` makes of the brand as it stands then: nobody else writes brands in between. `change` is synchronous;
   * what it throws is thrown, and nothing is written.
   */
  changeBrand(
    brandId: string,
    change: (standing: Brand | undefined) => Brand,
    by: string,
  ): Promise<{ brand: Brand; added: boolean }>
  policies(): Promise<PolicyRecord[]>
  /** Gives the next version; throws `policy-conflict` when the active version is not `basedOn` (0: none may be active; undefined: do not check). */
  publishPolicy(policy: Policy, by: string, basedOn: number | undefined): Promise<PolicyRecord>
  /** Makes the version before the active one active again; throws `nothing-to-roll-back`. */
  rollbackPolicy(by: string): Promise<PolicyRecord>
}
