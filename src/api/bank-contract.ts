// The shapes of banks over HTTP.
import { z } from 'zod'
import { bankImageSchema, bankSchema } from '../domain/bank.ts'
import { base64Problem, bytesOfBase64, textField } from '../domain/text-field.ts'

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
  limited: z
    .int()
    .min(0)
    .describe(
      'Pictures of fakes, among those that match, that are a rights holder’s word alone (`source.by` brand), or came along with a verdict that neither ' +
        'named them nor was about their revision (nobody): they count only where their brand is named, until an analyst vouches for each.',
    ),
})
export const banksSchema = z.object({ items: z.array(bankSummarySchema) })

export const bankImagesQuerySchema = z.object({
  after: imageId.optional().describe('The `next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  state: z
    .enum(['active', 'quarantined', 'alerted', 'limited'])
    .optional()
    .describe(
      'Those of it only; alerted: active ones that met too many sellers; limited: active ones of a bank of fakes that wait for somebody to vouch for them.',
    ),
})
export const bankImagesSchema = z.object({
  items: z.array(bankImageSchema),
  next: imageId.optional().describe('Missing on the last page.'),
})

export const bankImageAnswerSchema = bankImageSchema.extend({
  href: z.string().describe('The picture itself, re-encoded.'),
})

export const pictureBodySchema = z.object({
  data: z
    .string()
    .min(1)
    .meta({ format: 'base64', contentEncoding: 'base64' })
    .describe('The file, in base64.')
    .transform((text, context) => {
      const bytes = bytesOfBase64(text)
      if (bytes === undefined) context.addIssue(base64Problem(text))
      return bytes ?? z.NEVER
    }),
  file: textField(1, 500).optional().describe('What it was called; kept as its provenance.'),
})

export const addedImageSchema = z.object({
  added: bankImageSchema.optional().describe('Missing where the bank has this very file already.'),
  present: z
    .array(bankImageSchema)
    .optional()
    .describe('Where nothing was added: what the bank has of this very file, of an animation one for each frame.'),
  frames: z
    .array(bankImageSchema)
    .optional()
    .describe('Of an animation: its other frames that look unlike the first, each a picture of the bank of its own.'),
  sha256: bankImageSchema.shape.sha256,
})
