// Pictures of what a person will look at: re-encoded and stored by hash before rows are locked, so that the case only refers to them.
import { picturesNamed } from '../../domain/bank-evidence.ts'
import type { Listing } from '../../domain/listing.ts'
import type { SeenPicture } from '../../imaging/picture.ts'
import type { Assessment } from '../assess.ts'
import type { Draw } from '../audit.ts'
import { decisionId } from '../ids.ts'
import type { CasePicture } from '../ports.ts'
import { isAtHand } from './at-hand.ts'
import type { Glance, PictureSource, PictureStore, ShownSet } from './ports.ts'
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
  /** Of what was judged something that can be asked for again was not kept in time: it is kept when the listing is tried again. */
  readonly isLacking?: boolean
  /** The digest of what it shows. */
  readonly shown?: ShownSet['digest']
}

/** Listings whose pictures are kept at once: a lot of some 100 kB each lies in memory meanwhile, and then in a transaction. */
const AT_ONCE = 8
/** Pictures of one listing at once; most have no more. Those beyond are kept smaller. */
const LOT = 12
/**
 * Milliseconds for what all these listings show beyond their first lot, which their decisions wait for: two threads keep in it
 * all that is read of the dearest listing. What is not kept by then is kept later, while its address still shows it.
 */
const REST_MS = 10_000

/**
 * For each listing of which a picture was seen: what it shows, noted; and where its decision will open or carry a case, what
 * was kept of its pictures: of all that were judged, or whoever chooses their order would choose what is confirmed. Whether it
 * will is foreseen without a lock; where a deadline or a verdict comes between, a case has no pictures, or a day later they
 * are removed.
 */
export async function keepPictures<T extends Judged>(
  judged: readonly T[],
  source: PictureSource,
  store: PictureStore,
  draw: Draw,
  restOver = () => AbortSignal.timeout(REST_MS),
): Promise<ReadonlyMap<T, Keepsake>> {
  const keepsakes = new Map<T, Keepsake>()
  const seen = judged.filter((one) => one.assessment.pictures.some((picture) => picture.state === 'seen'))
  if (seen.length === 0) return keepsakes
  const shown = new Map(seen.map((one) => [one, shownBy(one.listing.listingId, one.assessment.pictures)]))
  await store.noteShown([...shown.values()].filter((set) => set !== undefined))
  for (const [one, set] of shown) keepsakes.set(one, set === undefined ? {} : { shown: set.digest })
  const allowed = seen.filter((one) => one.assessment.answer.outcome === 'allow')
  const before = allowed.length === 0 ? undefined : await store.glance(allowed.map((one) => one.listing.listingId))
  const cases = seen.filter((one) => opensCase(one, before?.get(one.listing.listingId), draw))
  const toKeepOf = new Map(cases.map((one) => [one, toKeep(one)]))
  const keeping = await createKeeping([...toKeepOf.values()], source, store)
  const slots = createSlots(AT_ONCE)
  const inTurn = async (work: () => Promise<void>) => {
    await slots.take()
    try {
      await work()
    } finally {
      slots.release()
    }
  }
  await Promise.all([...toKeepOf].map(([{ listing }, some]) => inTurn(() => keeping.keep(listing, some.slice(0, LOT)))))
  const until = restOver()
  // A turn is one lot, and the next one is behind all who wait: whoever shows few is not kept waiting by who shows a hundred.
  const fewestFirst = [...toKeepOf].toSorted(([, a], [, b]) => a.length - b.length)
  await Promise.all(
    fewestFirst.map(async ([{ listing }, some]) => {
      for (let from = LOT; from < some.length && !until.aborted; from += LOT)
        await inTurn(async () => {
          if (!until.aborted) await keeping.keep(listing, some.slice(from, from + LOT), { size: 'small', until })
        })
    }),
  )
  // At the end: what one listing tried in vain another one may have put there.
  for (const [one, some] of toKeepOf) {
    const kept = await keeping.kept(some)
    const there = new Set(kept.map(({ ordinal }) => ordinal))
    const isLacking = some.some(({ ordinal }) => !there.has(ordinal) && isAtHand(one.listing.images?.[ordinal] ?? {}))
    keepsakes.set(one, { ...keepsakes.get(one), kept, isLacking })
  }
  return keepsakes
}

function opensCase({ listing, assessment, behind }: Judged, before: Glance | undefined, draw: Draw): boolean {
  const { outcome, audit } = assessment.answer
  if (outcome !== 'allow' || behind === true) return true
  if (before !== undefined && (before.caseId !== null || (before.outcome ?? 'allow') !== 'allow')) return true
  return draw(decisionId(listing.listingId, listing.revision, (before?.sequence ?? 0) + 1), audit.share)
}

type How = NonNullable<Parameters<PictureSource['keep']>[2]>

interface ToKeep {
  readonly picture: SeenPicture
  readonly ordinal: number
}

function toKeep({ assessment: { pictures, risk } }: Judged): readonly ToKeep[] {
  const named = new Set(picturesNamed(risk).values())
  return (
    pictures
      .flatMap((picture, ordinal) => (picture.state === 'seen' ? [{ picture, ordinal }] : []))
      // A picture that is evidence must be there for who looks, whatever time there is; in full size, unless it is in the store already.
      .sort((a, b) => Number(named.has(b.picture.sha256)) - Number(named.has(a.picture.sha256)))
  )
}

/** Of all listings at once: what is in the store is asked once, and what several show is encoded once. */
async function createKeeping(all: readonly (readonly ToKeep[])[], source: PictureSource, store: PictureStore) {
  const sha256s = new Set(all.flatMap((some) => some.map(({ picture }) => picture.sha256)))
  const known = sha256s.size === 0 ? new Set<string>() : await store.known([...sha256s])
  const there = new Map([...known].map((sha256) => [sha256, Promise.resolve(true)]))

  async function put(listing: Listing, some: readonly ToKeep[], how: How): Promise<ReadonlySet<string>> {
    const encoded = await Promise.all(
      some.map(async ({ picture, ordinal }) => {
        const image = listing.images?.[ordinal]
        return image === undefined ? undefined : await source.keep(image, picture, how)
      }),
    )
    const fresh = encoded.filter((one) => one !== undefined)
    if (fresh.length > 0) await store.put(fresh)
    return new Set(fresh.map(({ sha256 }) => sha256))
  }

  /** What of these nobody has begun, or all that others have in vain: an address of theirs may be silent by now. */
  async function begin(listing: Listing, some: readonly ToKeep[], how: How): Promise<void> {
    const mine = new Map(some.map((one) => [one.picture.sha256, one]))
    const done = put(listing, [...mine.values()], how)
    for (const sha256 of mine.keys()) {
      const before = there.get(sha256)
      // Whoever waits for it tries it and hears why it failed; what another one has put there stays there.
      const now = done.then(
        (fresh) => fresh.has(sha256),
        () => false,
      )
      there.set(
        sha256,
        now.then(async (is) => is || (await before) === true),
      )
    }
    await done
  }

  const isThere = async ({ picture }: ToKeep) => (await there.get(picture.sha256)) === true

  return {
    async keep(listing: Listing, some: readonly ToKeep[], how: How = {}): Promise<void> {
      const others = some.filter(({ picture }) => there.has(picture.sha256))
      await begin(
        listing,
        some.filter(({ picture }) => !there.has(picture.sha256)),
        how,
      )
      const found = await Promise.all(others.map(isThere))
      const inVain = others.filter((_, at) => found[at] !== true)
      if (inVain.length > 0) await begin(listing, inVain, how)
    },
    async kept(some: readonly ToKeep[]): Promise<Kept> {
      const found = await Promise.all(some.map(isThere))
      return some
        .filter((_, at) => found[at] === true)
        .map(({ picture, ordinal }) => ({ ordinal, sha256: picture.sha256, whole: isWhole(picture) }))
    },
  }
}

/** What is kept of it would be judged as it was. */
const isWhole = ({ frames, unseenFrames, shownOtherwise, unseenPart }: SeenPicture): boolean =>
  [frames, unseenFrames, shownOtherwise, unseenPart].every((one) => one === undefined)
