// Where a matched picture of a bank came from, in words, and by which name we serve it: only what the service tells this session.
import { ask, part } from './ask.js'
import { date, foreign } from './dom.js'

const KINDS = {
  counterfeit: 'a counterfeit picture',
  genuine: 'a genuine picture',
  logo: 'a logo',
  allowed: 'an allowed picture, which is no evidence',
}
/** Up to here it is the same picture as a rule; the detector weighs by the same border. */
const SAME_PICTURE = 31

/** What can be said of a match by itself, before anything was asked. */
export const matchWords = (match) => [`Matches ${kindOf(match)}; `, distanceOf(match)]

const kindOf = ({ kind }) => KINDS[kind] ?? 'a known picture'

function distanceOf({ distance }) {
  const differ = `${distance === 0 ? 'none' : distance} of 256 bits ${distance === 1 ? 'differs' : 'differ'}`
  return distance <= SAME_PICTURE ? `${differ}.` : `${differ}, more than of the same picture as a rule: look closely.`
}

/** How the two pictures were laid over each other. */
export function fitWords({ variant, form }) {
  return [
    ...(variant > 0 ? ['The listing shows it turned or mirrored.'] : []),
    ...(form === 'half' ? ['Compared with the bank’s picture at half its size.'] : []),
    ...(form === 'half-brightened' ? ['Compared with the bank’s picture at half its size, brightened.'] : []),
  ]
}

/**
 * @returns {Promise<{ words: (Node | string)[], sha256?: string, note?: string }>} `note`: why there is no picture, or what
 * has become of it since.
 */
export async function originOf(match) {
  if (match.bankId === undefined)
    return { words: matchWords(match), note: 'The bank is somebody else’s: its picture is not shown.' }
  const [image, origin, brand] = await Promise.all([
    ask(`/v1/banks/${part(match.bankId)}/images/${part(match.imageId)}`),
    match.source?.caseId === undefined ? { status: 404 } : ask(`/v1/cases/${part(match.source.caseId)}`),
    match.brandId === null ? undefined : brandName(match.brandId),
  ])
  const verdicts = origin.status === 200 ? origin.body.verdicts : []
  const verdict = verdicts.find((one) => one.verdictId === match.source?.verdictId)
  const undone = verdict && verdicts.find((one) => one.supersedes === verdict.verdictId)
  const words = [
    `Matches ${kindOf(match)}`,
    ...(match.kind === 'genuine' || match.kind === 'logo' ? (brand === undefined ? [] : [' of ', brand()]) : []),
    ...(verdict === undefined ? added(image, brand, match) : confirmed(verdict, brand)),
    ...(wordOn(image, match) === 'nobody'
      ? ['; an edit in between showed it, and the verdict was not about that']
      : []),
    '; ',
    distanceOf(match),
  ]
  if (image.status === 200)
    return {
      words,
      sha256: image.body.sha256,
      ...(image.body.state === 'quarantined' ? { note: quarantined(image.body.quarantine?.scope) } : {}),
    }
  return {
    words,
    // The evidence does not name the bytes: where its case shows one picture it is that one.
    ...(origin.status === 200 ? only(origin.body.pictures) : {}),
    note:
      undone === undefined
        ? image.status === 404
          ? 'It has left the bank since.'
          : 'The bank’s picture could not be asked for.'
        : 'It has left the bank since: the verdict was taken back.',
  }
}

/** As it is by now where it is still there: somebody may have vouched for it since. */
const wordOn = (image, match) => (image.status === 200 ? image.body.source : match.source)?.by

function only(pictures) {
  const kept = [...new Set(pictures.map(({ sha256 }) => sha256))]
  return kept.length === 1 ? { sha256: kept[0] } : {}
}

function confirmed({ by, at }, brand) {
  const who = by.role === 'analyst' ? 'an analyst' : by.role === 'admin' ? 'an administrator' : undefined
  if (by.role === 'brand' && brand !== undefined) return [' confirmed by ', brand(), ' on ', date(at)]
  const whom = brand === undefined ? [] : [' for ', brand()]
  return [' confirmed', ...whom, ` by ${who ?? 'a reviewer'} on `, date(at)]
}

function added(image, brand, { kind, source }) {
  if (image.status !== 200) return []
  const { addedAt } = image.body
  const { file, kind: how } = image.body.source ?? source ?? {}
  const whose = brand === undefined || kind !== 'counterfeit' ? [] : [' of ', brand(), '’s bank']
  const from = file === undefined ? [] : [' (', foreign(file), ')']
  return [...whose, how === 'import' ? ', imported' : ', added', ...from, ' on ', date(addedAt)]
}

/** The brand's name, its id where that is not told; each time a new node. */
async function brandName(brandId) {
  const { status, body } = await ask(`/v1/brands/${part(brandId)}`)
  return () => foreign(status === 200 ? body.name : brandId)
}

const quarantined = (scope) =>
  Array.isArray(scope)
    ? 'It is in quarantine now for the listings of some marketplaces, and matches none of theirs until somebody has looked at it.'
    : 'It is in quarantine now, and matches nothing until somebody has looked at it.'
