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

export interface ReferenceStore {
  /** The highest change number: cheap, asked often. */
  change(): Promise<bigint>
  /** Brands, active policy and active models (at most one of each name) at one change number. */
  load(): Promise<{ change: bigint; brands: Brand[]; policy: Policy | undefined; models: ActiveModel[] }>
  /** Resolves or calls back when something changed elsewhere; a hint only. Returns the way to stop. */
  onChange(listener: () => void): Promise<() => Promise<void>>
  upsertBrands(brands: readonly Brand[], by: string): Promise<{ added: number; changed: number; unchanged: number }>
  brand(brandId: string): Promise<Brand | undefined>
  policies(): Promise<PolicyRecord[]>
  /** Gives the next version; throws `policy-conflict` when the active version is not `basedOn` (0: none may be active; undefined: do not check). */
  publishPolicy(policy: Policy, by: string, basedOn: number | undefined): Promise<PolicyRecord>
  /** Makes the version before the active one active again; throws `nothing-to-roll-back`. */
  rollbackPolicy(by: string): Promise<PolicyRecord>
}
