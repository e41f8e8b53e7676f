// The shapes of banks over HTTP.
import { z } from 'zod'
import { bankImageSchema, bankSchema } from '../domain/bank.ts'
import { base64Problem, textField } from '../domain/text-field.ts'

const bankId = bankSchema.shape.bankId
const imageId = bankImageSchema.shape.imageId

export const bankParamsSchema = z.object({ bankId })
export const bankImageParamsSchema = z.object({ bankId, imageId })
export const pictureParamsSchema = z.object({ sha256: bankImageSchema.shape.sha256 })

/** Without defaults: what is not said of a bank that is there stays. */
export const bankBodySchema = z.object({
  bankId,
  name: bankSchema.shape.name.optional().describe('Needed for a new bank.'),
  kind: bankSchema.shape.kind.optional().describe('Needed for a new bank.'),
  maxDistance: bankSchema.shape.maxDistance
    .unwrap()
    .optional()
    .describe('Bits of 256 in which a picture may differ and still match; of a new bank 31 unless said.'),
  brandId: bankSchema.shape.brandId
    .unwrap()
    .optional()
    .describe('The brand that owns it, which must be there; null: the deployment, as for a new bank unless said.'),
})

export const bankSummarySchema = bankSchema.extend({
  images: z.int().min(0).describe('Pictures that match.'),
  quarantined: z
    .int()
    .min(0)
    .describe('Pictures that match nothing, for some marketplaces or all, until somebody has looked.'),
  alerted: z.int().min(0).describe('Pictures that met too many sellers and match on: somebody should look.'),
})
export const banksSchema = z.object({ items: z.array(bankSummarySchema) })

export const bankImagesQuerySchema = z.object({
  after: imageId.optional().describe('The `next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  state: z
    .enum(['active', 'quarantined', 'alerted'])
    .optional()
    .describe('Those of it only; alerted: active ones that met too many sellers.'),
})
export const bankImagesSchema = z.object({
  items: z.array(bankImageSchema),
  next: imageId.optional().describe('Missing on the last page.'),
})

/** One pass of Node's decoder, 90 ms for 22 MB; zod's own check takes the event loop for 220 ms. */
function isBase64(text: string): boolean {
  if (text.length % 4 !== 0 || text.includes('-') || text.includes('_')) return false
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  // The decoder skips, or stops at, what is not of the alphabet, and then there is less.
  return Buffer.from(text, 'base64').length === (text.length / 4) * 3 - padding
}

export const bankImageAnswerSchema = bankImageSchema.extend({
  href: z.string().describe('The picture itself, re-encoded.'),
})

export const pictureBodySchema = z.object({
  data: z
    .string()
    .min(1)
    .refine(isBase64, { error: ({ input }) => base64Problem(input) })
    .meta({ format: 'base64', contentEncoding: 'base64' })
    .describe('The file, in base64.'),
  file: textField(1, 500).optional().describe('What it was called; kept as its provenance.'),
})

export const addedImageSchema = z.object({
  added: bankImageSchema.optional().describe('Missing where the bank has this very file already.'),
  sha256: bankImageSchema.shape.sha256,
})
