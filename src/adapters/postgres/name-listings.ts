// Names, behind a verdict, the listings that show what was left out since others show it on sale: a reviewer's strongest lead.
import { performance } from 'node:perf_hooks'
import { sql } from 'kysely'
import type { Pool } from 'pg'
import type { CaseLook, JoinedPictures } from '../../pipeline/verdicts/ports.ts'
import { framesOf } from './picture-frames.ts'
import { listingsElsewhere, type FrameOfCase } from './shown-pictures.ts'
import { within } from './within.ts'

/** In milliseconds: the verdict is recorded by then, and whoever gave it waits for its answer. */
const MOST_MS = 1_000

/** Of each picture. */
const MOST_LISTINGS = 10

/** Frames with 24 hashes each; of what else was left out it is not known. */
const MOST_FRAMES = 24

/** As it is told, with those listings as far as they are known in time; it never fails, for all is committed. */
export async function nameListings(
  pool: Pool,
  told: JoinedPictures,
  caseId: string,
  { elsewhere = [] }: CaseLook,
  most = MOST_MS,
): Promise<JoinedPictures> {
  const left = new Set(told.leftOutWhich.filter(({ why }) => why === 'elsewhere').map(({ sha256 }) => sha256))
  const frames = elsewhere
    .filter(({ sha256 }) => left.has(sha256))
    // First of every picture one.
    .toSorted((a, b) => a.frame - b.frame)
    .slice(0, MOST_FRAMES)
  if (frames.length === 0) return told
  const end = performance.now() + most
  try {
    const read = await within(
      pool,
      most,
      sql<Pick<FrameOfCase, 'sha256' | 'frame' | 'hashes'>>`
        select p.sha256, v.frame, v.variants as hashes from picture p ${framesOf(sql`p`)}
        where p.sha256 = any(${frames.map(({ sha256 }) => sha256)}::text[]) and (p.sha256, v.frame) in (
          select * from unnest(${frames.map(({ sha256 }) => sha256)}::text[], ${frames.map(({ frame }) => frame)}::int[]))`,
    )
    const asked = read.flatMap((one) =>
      frames.filter((f) => f.sha256 === one.sha256 && f.frame === one.frame).map((f) => ({ ...f, ...one, caseId })),
    )
    const found = await within(pool, Math.max(1, end - performance.now()), listingsElsewhere(asked, MOST_LISTINGS))
    const listings = new Map(found.map((one) => [one.sha256, one.listings]))
    const named = told.leftOutWhich.map((one) => {
      const own = one.why === 'elsewhere' ? listings.get(one.sha256) : undefined
      return own === undefined ? one : { ...one, listings: own }
    })
    return { ...told, leftOutWhich: named }
  } catch {
    return told
  }
}
