// The demo stream as it lies in fixtures/demo: chapters of records, each with why it is there and how it should end.
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { brandSchema, type Brand } from '../../domain/brand.ts'
import { TouchstoneError, messageOf } from '../../errors.ts'

/** What a listing of the demo truly is. Only the summary looks at it; the gate never sees it. */
export const LABELS = ['honest', 'overt', 'silent'] as const

const EXPECTED_ENDS = ['allow', 'hold', 'block', 'refused', 'dead-letter', 'duplicate', 'withdrawn'] as const

const chapterHead = z.strictObject({
  chapter: z.string().min(1),
  says: z.string().min(1),
  /** This chapter is played under a policy whose holds end after so many seconds. */
  holdSeconds: z.int().min(1).max(60).optional(),
})

const told = { story: z.string().min(1), label: z.enum(LABELS).optional(), expect: z.enum(EXPECTED_ENDS) }

const eventRow = z.strictObject({
  ...told,
  event: z.enum(['listing.submitted', 'listing.revised', 'listing.withdrawn']),
  /** As it is sent, sound or not; only who it is about must be readable. */
  data: z.looseObject({ listingId: z.string().min(1), revision: z.int().min(1) }),
  /** Too large to be kept in a file: made when it is played. */
  generate: z.strictObject({ what: z.enum(['title', 'images']), count: z.int().min(1) }).optional(),
})

const rawRow = z.strictObject({
  ...told,
  event: z.literal('raw'),
  /** For texts that name a listing: `{id}` in them becomes its id in this run. */
  identity: z.strictObject({ listingId: z.string().min(1), revision: z.int().min(1) }).optional(),
  text: z.string().optional(),
  base64: z.base64().optional(),
})

const rowSchema = z.union([eventRow, rawRow])
export type Row = z.infer<typeof rowSchema>

export interface Chapter {
  readonly title: string
  readonly says: string
  readonly holdSeconds: number | undefined
  readonly rows: readonly Row[]
}

export interface Story {
  readonly chapters: readonly Chapter[]
  readonly brands: readonly Brand[]
}

/**
 * Reads `*.jsonl` by name, one chapter a file with its head as the first line, and `brands.json`.
 * @throws TouchstoneError `input-invalid` naming file and line.
 */
export async function readStory(directory: string): Promise<Story> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).sort()
  const chapters: Chapter[] = []
  for (const file of files) {
    const lines = (await readFile(join(directory, file), 'utf8')).split('\n').filter((line) => line !== '')
    const [first, ...rest] = lines.map((line, i) => parse(i === 0 ? chapterHead : rowSchema, line, `${file}:${i + 1}`))
    const head = chapterHead.parse(first)
    chapters.push({
      title: head.chapter,
      says: head.says,
      holdSeconds: head.holdSeconds,
      rows: rest.map((row) => row as Row),
    })
  }
  const brands = parse(z.array(brandSchema), await readFile(join(directory, 'brands.json'), 'utf8'), 'brands.json')
  return { chapters, brands }
}

function parse<S extends z.ZodType>(schema: S, text: string, where: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)
    throw new TouchstoneError('input-invalid', `fixtures/demo/${where}: ${what}`, { cause: error })
  }
}
