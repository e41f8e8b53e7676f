// The listing's pictures as we keep them, each beside the picture of a bank that it matches. Never an address of a seller.
import { reviews } from './ask.js'
import { el, foreign } from './dom.js'
import { figure } from './figure.js'
import { earlierInWords, keptOf, missingFrom, placesInWords, shownInWords } from './kept.js'
import { fitWords, matchWords, originOf } from './origins.js'

/** Beside each other at most; evidence has up to 20, and the raw evidence below has them all. */
const MOST = 8

/**
 * @param {{ decision: any, session: any, theCase: Promise<any> }} about `decision`: as the history has it, or the feed
 * @returns {HTMLElement | undefined} nothing where the listing shows no pictures
 */
export function picturesOf({ decision, session, theCase }) {
  const signal = decision.signals?.find(({ name }) => name === 'image-hash')
  if (signal === undefined) return undefined
  const { evidence, state } = signal
  const may = reviews(session)
  if (evidence.why === 'no-pictures') return may ? onlyBefore(decision, theCase, session) : undefined
  const matches = evidence.matches ?? []
  const thumbs = el('div', { class: 'thumbs' })
  const section = el(
    'section',
    { class: 'pictures' },
    el('h3', {}, 'Pictures'),
    el('p', {}, seenWords(evidence, matches, state)),
    ...matches.slice(0, MOST).map((match) => matchElement(match, evidence, may)),
    ...(matches.length > MOST
      ? [el('p', { class: 'hint' }, `${matches.length - MOST} more below, in the evidence.`)]
      : []),
    ...unseenWords(evidence),
    thumbs,
    ...(may ? [] : [el('p', { class: 'hint' }, 'Pictures are for analysts, administrators and rights holders.')]),
  )
  if (may) void others(thumbs, theCase, decision, matches, session)
  return section
}

/** An edit that took the pictures away: what the case keeps of them, and nothing where it never had any. */
function onlyBefore(decision, theCase, session) {
  const thumbs = el('div', { class: 'thumbs' })
  const words = 'The listing shows no pictures any more. Before the edit it did:'
  const section = el(
    'section',
    { class: 'pictures', hidden: true },
    el('h3', {}, 'Pictures'),
    el('p', {}, words),
    thumbs,
  )
  void others(thumbs, theCase, decision, [], session).then(() => (section.hidden = thumbs.children.length === 0))
  return section
}

function seenWords({ images, seen, why }, matches, state) {
  // Of versions before this one nobody counted where no bank was there.
  if (why === 'no-banks' || images === undefined) return 'There was no known picture to compare with.'
  const many =
    images === 1
      ? 'The listing’s picture'
      : seen === images
        ? `All ${images} pictures`
        : `${seen} of ${images} pictures`
  if (why === 'not-looked-at') return 'Pictures were not looked at.'
  if (seen === 0)
    return images === 1 ? 'The listing’s picture could not be seen.' : 'None of the pictures could be seen.'
  const were = `${many} ${images === 1 || seen === 1 ? 'was' : 'were'} compared with known ones`
  const telling = matches.filter(({ kind }) => kind !== 'allowed').length
  if (telling > 0) return `${were}.`
  // The service keeps what matched in another brand's bank to itself.
  if (state === 'scored') return `${were}; what it matches is in a bank that is not yours to see.`
  if (why === 'too-plain') return `${many} ${images === 1 ? 'is' : 'are'} too plain to be compared with known ones.`
  return why === 'allowed' ? `${were}: allowed.` : `${were}: no match.`
}

function unseenWords({ unseen = [], damaged = [], tooPlain = [], why }) {
  return [
    ...unseen.map(({ image, fault, message }) =>
      el(
        'p',
        { class: 'hint' },
        `Picture ${image + 1} was not seen: ${String(fault).replaceAll('-', ' ')}`,
        ...(message === undefined ? [] : [' (', foreign(message), ')']),
        '.',
      ),
    ),
    ...(damaged.length === 0
      ? []
      : [el('p', { class: 'hint' }, `Damaged: picture ${damaged.map((image) => image + 1).join(', ')}.`)]),
    ...(tooPlain.length === 0 || why === 'too-plain'
      ? []
      : [
          el(
            'p',
            { class: 'hint' },
            `Too plain to be compared: picture ${tooPlain.map((image) => image + 1).join(', ')}.`,
          ),
        ]),
  ]
}

function matchElement(match, { images }, may) {
  const words = el('p', { class: 'match-words' }, ...matchWords(match))
  const note = el('p', { class: 'hint' }, fitWords(match).join(' '))
  const bank = el('div', { class: 'slot' })
  const place = images === 1 ? 'The listing’s picture' : `Picture ${match.image + 1} of the listing`
  if (may) {
    bank.append(figure(undefined, 'The bank’s picture', 'Loading…'))
    void originOf(match).then((origin) => {
      words.replaceChildren(...origin.words)
      if (origin.note !== undefined) note.prepend(origin.note, ' ')
      bank.replaceChildren(figure(origin.sha256, 'The bank’s picture', 'Not shown.'))
    })
  }
  return el(
    'article',
    { class: `match ${match.kind}` },
    words,
    ...(may ? [el('div', { class: 'pair' }, figure(match.sha256, place, 'Not kept.'), bank)] : []),
    note,
  )
}

/** What the case keeps of this revision besides the matched ones; before them, what is not there to be looked at. */
async function others(thumbs, theCase, { revision, signals }, matches, session) {
  const { status, body } = await theCase
  if (status !== 200) return
  const shown = new Set(matches.slice(0, MOST).map(({ sha256 }) => sha256))
  const rest = body.pictures.filter((one) => one.revision === revision && !shown.has(one.sha256))
  thumbs.append(
    ...rest.map((one) =>
      figure(one.sha256, `Picture ${one.ordinal + 1} of the listing${shownInWords(one)}`, 'Not kept.'),
    ),
  )
  const gone = body.noLongerKept.find((one) => one.revision === revision)?.pictures ?? 0
  if (body.revision === revision) {
    thumbs.before(...missingWords(body, signals, gone, session))
    thumbs.append(
      ...keptOf(body).earlier.map((one) =>
        figure(one.sha256, `${earlierInWords(one.revision, one.ordinal)}${shownInWords(one)}`, 'Not kept.'),
      ),
    )
    return
  }
  if (gone === 0) return
  const were = gone === 1 ? '1 picture of the listing is' : `${gone} pictures of the listing are`
  thumbs.after(el('p', { class: 'hint' }, `${were} no longer kept: its case was closed long ago.`))
}

/** How many of the listed can be looked at, and why others cannot, where nothing above said so. */
function missingWords(found, signals, gone, session) {
  const missing = missingFrom(found)
  const { listed } = found.pictureCount
  if (missing.length === 0) return []
  const { unseen = [] } = signals.find(({ name }) => name === 'image-hash').evidence
  const rest = missing.filter((ordinal) => !unseen.some(({ image }) => image === ordinal))
  const many = `${listed - missing.length} of the listing’s ${listed} ${listed === 1 ? 'picture' : 'pictures'} can be looked at here.`
  const which = `${rest.length === 1 ? 'Picture' : 'Pictures'} ${placesInWords(rest)} ${rest.length === 1 ? 'is' : 'are'}`
  const closed = 'the case was closed long ago'
  const why =
    gone === 0
      ? `not kept${session.role === 'brand' ? ', or not yours to see' : ''}.`
      : gone >= rest.length
        ? `no longer kept: ${closed}.`
        : `not kept, ${gone} of them no longer: ${closed}.`
  return [
    el('p', { class: 'missing' }, many),
    ...(rest.length === 0 ? [] : [el('p', { class: 'hint' }, `${which} ${why}`)]),
  ]
}
