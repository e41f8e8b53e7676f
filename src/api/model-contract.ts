// The shapes of the model routes: versions with their cards, a training and its end, what a promotion led to.
import { z } from 'zod'
import { MODEL_NAMES, modelCardSchema } from '../domain/model.ts'

const name = z.enum(MODEL_NAMES)
const version = modelCardSchema.shape.version

const modelRecordSchema = z.object({
  name,
  version,
  sha256: z.string().describe('Of the bytes of the model.'),
  // Any JSON, which OpenAPI cannot say by a schema that refers to itself.
  card: modelCardSchema.extend({ measured: z.record(z.string(), z.unknown()) }),
  madeAt: z.string(),
  madeBy: z.string(),
  active: z.boolean().describe('It was promoted, and decides where nothing is said in `problem`.'),
  problem: z
    .string()
    .optional()
    .describe('Why it cannot be loaded although it is active: a process that starts now decides with what ships.'),
})

export const trainingSchema = z.object({
  trainingId: z.uuid(),
  state: z.enum(['running', 'done', 'failed']),
  models: z.array(name),
  seed: z.int(),
  by: z.string(),
  startedAt: z.string(),
  endedAt: z.string().optional(),
  labels: z.int().optional().describe('Verdicts that count.'),
  learntFrom: z.int().optional().describe('Of them, listings that were learnt from.'),
  heldOut: z
    .int()
    .optional()
    .describe('Of them, listings of other sellers, decided later, that the versions were measured on.'),
  leftOut: z
    .object({
      repeated: z.int().describe('Of a listing, or of a seller’s words, for which another verdict stands.'),
      sellerOnBothSides: z.int().describe('Of a seller with listings on both sides that was drawn for the other one.'),
      wordsOnBothSides: z
        .int()
        .describe(
          'Their words, but for numbers and signs, came before and after the boundary, and were drawn for the other side.',
        ),
    })
    .optional()
    .describe('Of them, those that count for neither, by why.'),
  made: z
    .array(
      z.object({
        name,
        version,
        present: z.boolean().describe('It was made before.'),
        mended: z.boolean().describe('Its bytes in the store were damaged, and were written anew.'),
      }),
    )
    .optional(),
  refused: z.array(z.object({ name, code: z.string(), message: z.string() })).optional(),
  unloadable: z
    .array(z.object({ name, version, why: z.string() }))
    .optional()
    .describe(
      'Promoted versions that could not be read: it was made beside what ships in their place, and the same seed and ' +
        'verdicts may make other bytes beside them.',
    ),
  problem: z.object({ code: z.string(), message: z.string() }).optional().describe('Why nothing was made.'),
})

export const modelsSchema = z.object({
  items: z.array(modelRecordSchema),
  shipped: z.record(name, z.string()).describe('The versions that decide where none is active.'),
  training: trainingSchema.nullable().describe('The last one, whichever process ran it.'),
})

export const modelParamsSchema = z.object({ name })
export const modelOrAllParamsSchema = z.object({ name: z.enum([...MODEL_NAMES, 'all']) })
export const trainBodySchema = z
  .object({
    seed: z
      .int()
      .min(0)
      .max(0xffff_ffff)
      .default(1)
      .describe('The same seed and verdicts, beside the same version that decides, give the same bytes.'),
  })
  .nullish()
export const promoteBodySchema = z.object({
  version,
  text: version
    .optional()
    .describe(
      'With a fusion: the version of the text model that begins to decide with it, both by one change; what ships by its own name.',
    ),
  force: z.boolean().default(false).describe('Although its card says that it lost.'),
})
export const rollbackBodySchema = z
  .object({
    force: z
      .boolean()
      .default(false)
      .describe('Although the fusion that decides was fitted to the text model that would go.'),
  })
  .nullish()
const stepSchema = z.object({
  name,
  version: z.string().nullable().describe('What decides now; null: what ships.'),
  before: z.string().nullable(),
})
export const activationSchema = stepSchema.extend({
  text: stepSchema.optional().describe('Of a fusion: the text model that changed with it.'),
  scope: z
    .string()
    .optional()
    .describe('Of a fusion that learnt: on which marketplaces it decides, and what goes on deciding elsewhere.'),
  overruled: z.array(z.string()).optional().describe('What speaks against it.'),
  warnings: z
    .array(z.string())
    .optional()
    .describe(
      'That fusion and text model which decide now were not fitted to each other, what that means, and what to do.',
    ),
})
