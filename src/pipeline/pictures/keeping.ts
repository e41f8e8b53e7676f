// Pictures of what a person will look at: re-encoded and stored by hash before rows are locked, so that the case only refers to them.
import type { Listing } from '../../domain/listing.ts'
import type { SeenPicture } from '../../imaging/picture.ts'
import type { Assessment } from '../assess.ts'
import type { Draw } from '../audit.ts'
import { decisionId } from '../ids.ts'
import type { CasePicture } from '../ports.ts'
import { MOST_KEPT, type Glance, type PictureSource, type PictureStore, type ShownSet } from './ports.ts'
import { shownBy } from './shown.ts'
import { createSlots } from './slots.ts'

export interface Judged {
  readonly listing: Listing
  readonly assessment: Assessment
  /** An earlier revision is not settled yet, and may open a case that carries over. */
  readonly behind?: boolean
}

export type Kept = readonly Pick<CasePicture, 'ordinal' | 'sha256' | 'whole'>[]

/** What the settlement is told of the pictures of one listing, which are in the store by then. */
export interface Keepsake {
  /** For the case that it may become. */
  readonly kept?: Kept
  /** The digest of what it shows. */
  readonly shown?: ShownSet['digest']
}

/** Listings whose pictures are kept at once: a dozen of some 100 kB each lies in memory meanwhile. */
const AT_ONCE = 8

/**
 * For each listing of which a picture was seen: what it shows, noted; and where its decision will open or carry a case, what
 * was kept of its pictures. Whether it will is foreseen without a lock; where a deadline or a verdict comes between, a
 * case has no pictures, or a day later they are removed.
 */
export async function keepPictures<T extends Judged>(
  judged: readonly T[],
  source: PictureSource,
  store: PictureStore,
  draw: Draw,
): Promise<ReadonlyMap<T, Keepsake>> {
  const keepsakes = new Map<T, Keepsake>()
  const seen = judged.filter((one) => one.assessment.pictures.some((picture) => picture.state === 'seen'))
  if (seen.length === 0) return keepsakes
  const shown = new Map(seen.map((one) => [one, shownBy(one.listing.listingId, one.assessment.pictures)]))
  await store.noteShown([...shown.values()].filter((set) => set !== undefined))
  for (const [one, set] of shown) keepsakes.set(one, set === undefined ? {} : { shown: set.digest })
  const allowed = seen.filter((one) => one.assessment.answer.outcome === 'allow')
  const before = allowed.length === 0 ? undefined : await store.glance(allowed.map((one) => one.listing.listingId))
  const slots = createSlots(AT_ONCE)
  await Promise.all(
    seen
      .filter((one) => opensCase(one, before?.get(one.listing.listingId), draw))
      .map(async (one) => {
        await slots.take()
        try {
          const kept = await keepOf(one, source, store)
          keepsakes.set(one, { ...keepsakes.get(one), kept })
        } finally {
          slots.release()
        }
      }),
  )
  return keepsakes
}

function opensCase({ listing, assessment, behind }: Judged, before: Glance | undefined, draw: Draw): boolean {
  const { outcome, audit } = assessment.answer
  if (outcome !== 'allow' || behind === true) return true
  if (before !== undefined && (before.caseId !== null || (before.outcome ?? 'allow') !== 'allow')) return true
  return draw(decisionId(listing.listingId, listing.revision, (before?.sequence ?? 0) + 1), audit.share)
}

/** Hashes of the pictures that some signal's evidence is about. */
function picturesNamed({ risk }: Assessment): ReadonlySet<unknown> {
  const entries = risk.signals.flatMap(({ evidence }) => Object.values(evidence).flat())
  return new Set(
    entries.map((one) => (typeof one === 'object' && one !== null && 'sha256' in one ? one['sha256'] : null)),
  )
}

async function keepOf({ listing, assessment }: Judged, source: PictureSource, store: PictureStore): Promise<Kept> {
  const named = picturesNamed(assessment)
  const seen = assessment.pictures
    .flatMap((picture, ordinal) => (picture.state === 'seen' ? [{ picture, ordinal }] : []))
    // A picture that is evidence must be there for who looks, wherever its seller put it.
    .sort((a, b) => Number(named.has(b.picture.sha256)) - Number(named.has(a.picture.sha256)))
    .slice(0, MOST_KEPT)
  const known = new Set(await store.known(seen.map(({ picture }) => picture.sha256)))
  const missing = new Map(seen.map(({ picture, ordinal }) => [picture.sha256, { picture, ordinal }]))
  for (const sha256 of known) missing.delete(sha256)
  const encoded = await Promise.all(
    [...missing.values()].map(async ({ picture, ordinal }) => {
      const image = listing.images?.[ordinal]
      return image === undefined ? undefined : await source.keep(image, picture)
    }),
  )
  const fresh = encoded.filter((one) => one !== undefined)
  if (fresh.length > 0) await store.put(fresh)
  for (const { sha256 } of fresh) known.add(sha256)
  return seen.flatMap(({ picture, ordinal }) =>
    known.has(picture.sha256) ? [{ ordinal, sha256: picture.sha256, whole: isWhole(picture) }] : [],
  )
}

/** What is kept of it would be judged as it was. */
const isWhole = ({ frames, unseenFrames, shownOtherwise }: SeenPicture): boolean =>
  frames === undefined && unseenFrames === undefined && shownOtherwise === undefined
