// Who may call: roles, and the brands or the marketplace that a key is bound to.
import { z } from 'zod'

export const ROLES = ['ingest', 'analyst', 'brand', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

export const apiKeySchema = z.object({
  keyId: z.string(),
  role: z.enum(ROLES),
  brandIds: z.array(z.string()),
  marketplace: z.string().optional(),
  createdAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().optional(),
})
export type ApiKey = z.infer<typeof apiKeySchema>

/** The caller that a request was made by, after authentication. */
export interface Caller {
  readonly subject: string
  readonly role: Role
  readonly brandIds: readonly string[]
  readonly marketplace?: string | undefined
}
