// The detector of known pictures: what a listing shows is compared with the banks of counterfeit, genuine, logo and allowed ones.
import type { Listing } from '../../domain/listing.ts'
import { isLate, isPassing, unseen, type Picture, type UnseenPicture } from '../../imaging/picture.ts'
import type { Finding, Signal, SignalContext } from '../signal.ts'
import { examples } from './examples.ts'
import { affordable, isMany, searched } from './frames.ts'
import type { BankIndex, BankMatch } from './ports.ts'
import { speaking } from './spared.ts'
import { reasonsOfUnseen } from './unseen-reasons.ts'

/** Meta's advice for PDQ: up to 31 of 256 bits are the same picture as a rule; 63 is as far as any bank may reach. */
const SAME_PICTURE = 31
const FARTHEST = 63

/** Scores are ranks, not probabilities: the scorecard says what each is worth. */
const SCORES = {
  counterfeit: { exact: 0.97, atSame: 0.7, atFarthest: 0.4 },
  /** A brand's own photo in the hands of a seller whom it did not authorise: shops that resell do it as well. */
  genuine: 0.25,
  logo: 0.1,
  /** The photo of the brand in the hands of a seller whom it authorised. */
  authorised: 0,
} as const

/**
 * What a rights holder put into its counterfeit bank by itself, or came along with an edit that nobody has looked at, met where
 * its brand is not named (in a bank of no brand: none of its case): a placeholder or a competitor's photo must not stop
 * strangers. What a person confirmed on a case counts everywhere.
 */
const FOREIGN_WORD = SCORES.logo

/** Evidence is for people: a page of it helps nobody. */
const MAX_EVIDENCE = 20

/** Falls as the distance rises, everywhere; 0 to 1. */
export function counterfeitScore(distance: number): number {
  const { exact, atSame, atFarthest } = SCORES.counterfeit
  if (distance <= SAME_PICTURE) return exact - ((exact - atSame) * distance) / SAME_PICTURE
  const beyond = Math.min(1, (distance - SAME_PICTURE) / (FARTHEST - SAME_PICTURE))
  return atSame - (atSame - atFarthest) * beyond
}

interface Found {
  /** Place among the images of the listing, from 0. */
  readonly image: number
  readonly sha256: string
  readonly score: number
  readonly match: BankMatch
}

function evaluate(listing: Listing, context: SignalContext): Finding | Promise<Finding> {
  const { banks } = context
  if (context.pictures.length === 0) return { state: 'abstained', evidence: unlooked(listing.images?.length ?? 0) }
  if (banks === undefined || banks.size === 0) return { state: 'abstained', evidence: lookedAt(context.pictures) }
  const pictures = affordable(context.pictures)
  const search = findAll(pictures, banks, listing, context)
  return searched(search, isMany(pictures), (found) => findingOf(pictures, found, banks.against > 0))
}

/** Whoever started us wanted no picture looked at; or there is none. */
const unlooked = (images: number) => (images === 0 ? { why: 'no-pictures' } : { why: 'not-looked-at', images, seen: 0 })

/** Nothing to compare with: still, whoever reviews must know what could not be opened. */
function lookedAt(pictures: readonly Picture[]): Finding['evidence'] {
  const missing = pictures.flatMap((picture, image) => missingOf(picture).map((one) => faultOf(one, image)))
  return {
    why: 'no-banks',
    images: pictures.length,
    seen: pictures.filter((picture) => picture.state === 'seen').length,
    ...(missing.length === 0 ? {} : { unseen: missing.slice(0, MAX_EVIDENCE) }),
  }
}

/** Why nothing matched. */
function silence(pictures: readonly Picture[]): string {
  const seen = pictures.filter((picture) => picture.state === 'seen')
  if (seen.length === 0) return 'not-looked-at'
  return seen.every(({ blank }) => blank) ? 'too-plain' : 'nothing-matched'
}

/** `mayAccuse`: something in the banks could have spoken against the listing; where nothing could, a picture that was not seen hides nothing. */
function findingOf(pictures: readonly Picture[], found: readonly Found[], mayAccuse: boolean): Finding {
  const failures = pictures.flatMap((picture, image) =>
    missingOf(picture).map((missing) => ({ picture: missing, image })),
  )
  const damaged = pictures.flatMap((picture, image) => (picture.state === 'seen' && picture.damaged ? [image] : []))
  const unseen = failures.map(({ picture, image }) => faultOf(picture, image))
  const mending = {
    passing: failures.some(({ picture }) => isPassing(picture)),
    late: failures.some(({ picture }) => isLate(picture)),
  }
  const hides = unseen.length > 0 && mayAccuse
  const missing = hides ? reasonsOfUnseen(failures.map(({ picture }) => picture)) : []
  const plain = pictures.flatMap((picture, image) => (picture.state === 'seen' && picture.blank ? [image] : []))
  const evidence = {
    images: pictures.length,
    seen: pictures.filter((picture) => picture.state === 'seen').length,
    ...(unseen.length === 0 ? {} : { unseen: unseen.slice(0, MAX_EVIDENCE) }),
    ...(damaged.length === 0 ? {} : { damaged: damaged.slice(0, MAX_EVIDENCE) }),
    ...(plain.length === 0 ? {} : { tooPlain: plain.slice(0, MAX_EVIDENCE) }),
  }
  const telling = found.filter(({ match }) => match.kind !== 'allowed').sort((a, b) => b.score - a.score)
  const matches = [...telling, ...found.filter(({ match }) => match.kind === 'allowed')].map(shown)
  const [best] = telling
  if (best === undefined) {
    const said = { ...evidence, ...(matches.length === 0 ? {} : { matches: matches.slice(0, MAX_EVIDENCE) }) }
    const why = unseen.length > 0 ? 'no-banks' : silence(pictures)
    return hides
      ? { state: 'failed', ...mending, reasons: missing, evidence: { why: 'pictures-not-seen', ...said } }
      : { state: 'abstained', evidence: { why: matches.length === 0 ? why : 'allowed', ...said } }
  }
  return {
    state: 'scored',
    score: best.score,
    reasons: [
      ...REASONS[best.score <= SCORES.logo ? 'none' : best.match.kind === 'counterfeit' ? 'counterfeit' : 'genuine'],
      ...missing,
    ],
    evidence: { ...evidence, matches: matches.slice(0, MAX_EVIDENCE) },
    knownTo: knownTo(telling),
    // A logo in front must not hide what stands behind it.
    ...(hides ? { incomplete: true, ...mending } : {}),
  }
}

/**
 * Brands in whose own banks lies what speaks against the listing, and those of the cases in which the deployment confirmed
 * it for all. Not a logo, which says nothing, nor what an authorised seller shows; and nothing that a rights holder said by
 * itself, or nobody: by uploading what is everywhere it would be shown strangers' cases, and be waited for.
 */
const knownTo = (telling: readonly Found[]): string[] => {
  const own = telling.filter(({ score, match }) => score > SCORES.logo && match.source.by === undefined)
  return [...new Set(own.flatMap(({ match: { brandId, source } }) => brandId ?? source.brandIds ?? []))]
}

const REASONS = {
  counterfeit: [
    {
      code: 'picture-seen-before',
      text: 'A picture of the listing was seen before with goods that were found to be imitations. Please show pictures of your own item.',
    },
  ],
  genuine: [
    {
      code: 'picture-of-the-brand',
      text: 'A picture of the listing is the brand’s own. Please add pictures of the very item that you offer.',
    },
  ],
  none: [],
} as const

/** What the banks hold that is like a picture and speaks, a step for each frame. */
function* findAll(
  pictures: readonly Picture[],
  banks: BankIndex,
  { sellerId }: Listing,
  context: SignalContext,
): Generator<void, Found[]> {
  const all: Found[] = []
  for (const [image, picture] of pictures.entries()) {
    if (picture.state !== 'seen' || picture.blank) continue
    const { frames = [], ...first } = picture
    const matches: BankMatch[] = []
    // One by one: an allowed frame speaks for no other.
    for (const frame of [first, ...frames.map((frame) => ({ ...first, ...frame }))]) {
      matches.push(...speaking(banks.match(frame)))
      yield
    }
    const found = matches.map((match) => ({
      image,
      sha256: picture.sha256,
      score: scoreOf(match, sellerId, context),
      match,
    }))
    all.push(...worstOfEach(found))
  }
  return all
}

/** Of each bank what any frame is like that says most; of those the nearest. */
function worstOfEach(found: readonly Found[]): Found[] {
  const worst = new Map<string, Found>()
  for (const one of found) {
    const held = worst.get(one.match.bankId)
    const isWorse =
      held === undefined ||
      one.score > held.score ||
      (one.score === held.score && one.match.distance < held.match.distance)
    if (isWorse) worst.set(one.match.bankId, one)
  }
  return [...worst.values()]
}

function scoreOf(match: BankMatch, sellerId: string, context: SignalContext): number {
  const { kind, distance, brandId, source } = match
  if (kind === 'counterfeit') {
    const brands = brandId === null ? (source.brandIds ?? []) : [brandId]
    const isForeign = source.by !== undefined && !brands.some((id) => context.reading.brandIds.includes(id))
    return isForeign ? FOREIGN_WORD : counterfeitScore(distance)
  }
  if (kind === 'allowed') return 0
  if (kind === 'logo') return SCORES.logo
  // A bank of the deployment's own speaks for the brands that the goods are offered as.
  const brandIds = brandId === null ? context.reading.brandIds : [brandId]
  const authorised =
    brandIds.length > 0 && brandIds.every((id) => context.brand(id)?.authorisedSellers.includes(sellerId) === true)
  return authorised ? SCORES.authorised : SCORES.genuine
}

const shown = ({ image, sha256, match }: Found) => ({
  image,
  sha256,
  bankId: match.bankId,
  kind: match.kind,
  imageId: match.imageId,
  brandId: match.brandId,
  distance: match.distance,
  variant: match.variant,
  form: match.form,
  // Absent fields are left out: evidence is JSON.
  source: Object.fromEntries(
    Object.entries(match.source).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined),
  ),
})

/** What of a picture could not be looked at. */
function missingOf(picture: Picture): UnseenPicture[] {
  if (picture.state === 'unseen') return picture.fault === 'not-fetched' ? [] : [picture]
  return [
    ...(picture.unseenFrames === true ? [UNSEEN_FRAMES] : []),
    ...(picture.shownOtherwise === true ? [SHOWN_OTHERWISE] : []),
    ...(picture.unseenPart === true ? [UNSEEN_PART] : []),
  ]
}

const UNSEEN_FRAMES = unseen(
  'too-many-pixels',
  'an animation: frames that people see lie beyond what is decoded of one picture, or cannot be decoded',
)

const SHOWN_OTHERWISE = unseen(
  'not-a-picture',
  'its colours are coded for high dynamic range, or it says something that readers take differently (profile, parts, crop): browsers may show another picture',
)

const UNSEEN_PART = unseen(
  'not-a-picture',
  'it ends too soon: so much of it is missing that it would not be known again',
)

const faultOf = ({ fault, message }: UnseenPicture, image: number) => ({ image, fault, message })

export const imageHash: Signal = {
  name: 'image-hash',
  version: '4',
  label: 'Known pictures',
  description:
    'Compares each picture of a listing, turned and mirrored too, with banks of counterfeit, genuine, logo and allowed pictures.',
  sources: [
    'PDQ: Meta, The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm (2019)',
    'Verdicts of this deployment: pictures of confirmed cases',
  ],
  mode: 'enforce',
  examples,
  evaluate,
}
