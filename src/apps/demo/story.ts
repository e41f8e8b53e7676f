// The demo stream as it lies in fixtures/demo: chapters of records, each with why it is there and how it should end.
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { brandSchema, type Brand } from '../../domain/brand.ts'
import { OUTCOMES } from '../../domain/policy.ts'
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
  /** Files beside the story, sent with it as its images. */
  pictures: z.array(z.string().regex(/^[a-z0-9-]+\.(jpg|webp)$/)).optional(),
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

/** What a person says of a listing that was played before; a second word on it replaces the first. */
const wordSchema = z.strictObject({
  story: z.string().min(1),
  event: z.literal('verdict'),
  about: z.strictObject({ listingId: z.string().min(1), revision: z.int().min(1) }),
  verdict: z.enum(['confirmed', 'rejected']),
  /** Whose word it is: the holder of this brand says it. */
  brandId: z.string().min(1),
  /** Listings that the gate then looks at again by itself; what follows waits for that too. */
  again: z.array(z.string().min(1)).optional(),
})
export type Word = z.infer<typeof wordSchema>

/** The gate says what it would decide on a listing that comes later in the chapter; nothing is recorded. */
const trialSchema = z.strictObject({
  story: z.string().min(1),
  event: z.literal('trial'),
  of: z.string().min(1),
  expect: z.enum(OUTCOMES),
})
export type Trial = z.infer<typeof trialSchema>

export interface Chapter {
  readonly title: string
  readonly says: string
  readonly holdSeconds: number | undefined
  readonly rows: readonly Row[]
  /** Done when as many rows as `after` are played and decided. */
  readonly interludes: readonly { readonly after: number; readonly what: Word | Trial }[]
}

export interface Story {
  readonly chapters: readonly Chapter[]
  readonly brands: readonly Brand[]
  /** By name. */
  readonly pictures: ReadonlyMap<string, Buffer>
}

/**
 * Reads `*.jsonl` by name, one chapter a file with its head as the first line, `brands.json` and the pictures.
 * @throws TouchstoneError `input-invalid` naming file and line.
 */
export async function readStory(directory: string): Promise<Story> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).sort()
  const chapters: Chapter[] = []
  for (const file of files) {
    const lines = (await readFile(join(directory, file), 'utf8')).split('\n').filter((line) => line !== '')
    const [first, ...rest] = lines.map((line, i) => parse(i === 0 ? chapterHead : lineSchema, line, `${file}:${i + 1}`))
    const head = chapterHead.parse(first)
    const rows: Row[] = []
    const interludes: { after: number; what: Word | Trial }[] = []
    for (const one of rest as (Row | Word | Trial)[]) {
      if (one.event === 'verdict' || one.event === 'trial') interludes.push({ after: rows.length, what: one })
      else rows.push(one)
    }
    chapters.push({ title: head.chapter, says: head.says, holdSeconds: head.holdSeconds, rows, interludes })
  }
  const brands = parse(z.array(brandSchema), await readFile(join(directory, 'brands.json'), 'utf8'), 'brands.json')
  const names = new Set(
    chapters.flatMap(({ rows }) => rows.flatMap((row) => ('pictures' in row && row.pictures) || [])),
  )
  const pictures = new Map<string, Buffer>()
  for (const name of names) pictures.set(name, await readFile(join(directory, 'pictures', name)))
  return { chapters, brands, pictures }
}

const lineSchema = z.union([rowSchema, wordSchema, trialSchema])

function parse<S extends z.ZodType>(schema: S, text: string, where: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)
    throw new TouchstoneError('input-invalid', `fixtures/demo/${where}: ${what}`, { cause: error })
  }
}
