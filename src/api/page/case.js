// The case of a decision: its state, who may decide, what was said, and a person's own word on it.
import { reviews } from './ask.js'
import { el, foreign, nameOf, time } from './dom.js'
import { earlierInWords, keptOf, missingFrom, placesInWords, shownInWords } from './kept.js'
import { createWord } from './word.js'

export const STATES = {
  open: 'Open: waits for somebody to look',
  resolved: 'Resolved: decided by verdicts',
  released: 'Released: nobody had looked when its hold ended',
  withdrawn: 'Withdrawn by its seller',
}
export const OPENERS = {
  hold: 'the listing was held',
  block: 'the listing was blocked',
  audit: 'drawn from what is on sale',
  appeal: 'its seller answered',
  review: 'an analyst asked for a look',
}
const SAID = { confirmed: 'Confirmed', rejected: 'Rejected', 'cannot-tell': 'Cannot tell' }

/**
 * @param {{ decision: any, session: any, theCase: Promise<any>, look: () => Promise<any>, changed: () => void,
 *   show: (revision: number) => void }} about `theCase`: the answer for the case; `look`: asks for it anew;
 *   `changed`: something was recorded; `show`: opens what stands for another revision
 */
export function caseOf({ decision, session, theCase, look, changed, show }) {
  const heading = el('h3', { id: 'case', tabindex: '-1' }, 'Case')
  // Outside of what is drawn anew, and there from the beginning: else nobody is read what it says.
  const told = el('p', { class: 'told', role: 'status', tabindex: '-1' })
  const body = el('div', {}, el('p', { class: 'hint' }, 'Loading the case…'))
  const leftOut = el('div', { class: 'left-out' })
  const word = createWord({
    caseId: decision.caseId,
    decisionId: decision.decisionId,
    revision: decision.revision,
    own: session?.role === 'brand',
    ended(said) {
      told.replaceChildren(...said.words)
      if (said.leftOut !== undefined) leftOut.replaceChildren(...said.leftOut)
      told.classList.toggle('failed', said.failed)
      told.focus()
      if (!said.again) return
      void look().then(draw)
      changed()
    },
  })

  function draw({ status, body: found }) {
    if (status !== 200) {
      const who = el('p', {}, 'Cases are for analysts, administrators and rights holders of their brands.')
      const why =
        status === 404 || status === 403 ? [] : [el('p', {}, 'The case could not be read. Open the decision again.')]
      return body.replaceChildren(id(decision.caseId), ...(why.length > 0 ? why : [who]))
    }
    return body.replaceChildren(
      facts(found),
      ...verdictsOf(found, decision.revision, word, session),
      ...answersOf(found),
      ...yours(found),
    )
  }

  /** The word itself, or why there is none to give. */
  function yours(found) {
    const { state, revision, brandIds } = found
    if (revision !== decision.revision) {
      const button = el('button', { type: 'button' }, `Show revision ${revision}`)
      button.addEventListener('click', () => show(revision))
      return [el('p', {}, `The listing was edited: the case is about revision ${revision} by now.`), button]
    }
    const pictures = picturesToName(found)
    const unseen = unseenWords(found, session)
    const form = () => word.form({ brandIds, own: session?.role === 'brand', pictures, unseen })
    if (state === 'withdrawn') {
      const gone =
        'Its seller has taken it back, and nothing is decided on it. What it was is recorded all the same, and its pictures join the bank.'
      return [el('p', {}, gone), form()]
    }
    if (state !== 'resolved') return [form()]
    const change = el('p', { class: 'hint' }, 'To change it, take back what was said first.')
    const silent = withoutWord(found)
    if (silent.length === 0) return [change]
    const more = `It is decided. What is said for ${silent.join(' or ')} is recorded too, and fills the bank of that brand.`
    return [change, el('p', {}, more), word.form({ brandIds: silent, own: true, pictures, unseen })]
  }

  if (reviews(session)) void theCase.then(draw)
  else draw({ status: 403 })
  return el('section', { class: 'case', 'aria-labelledby': 'case' }, heading, body, told, leftOut)
}

/** The brands of a case for which nobody has spoken, each by itself or all of them. */
function withoutWord({ verdicts, brandIds, revision }) {
  const replaced = new Set(verdicts.map(({ supersedes }) => supersedes))
  const words = verdicts.filter((one) => one.revision === revision && one.verdict !== 'cannot-tell')
  const spoken = words.filter(({ verdictId }) => !replaced.has(verdictId)).map(({ brandId }) => brandId ?? null)
  return spoken.includes(null) ? [] : brandIds.filter((one) => !spoken.includes(one))
}

/** As a verdict names them, and in words. */
function picturesToName(found) {
  const { own, earlier } = keptOf(found)
  return [
    ...own.map(({ ordinal, ...one }) => ({ name: ordinal, words: `Picture ${ordinal + 1}${shownInWords(one)}` })),
    ...earlier.map(({ sha256, revision, ordinal, ...one }) => ({
      name: sha256,
      words: `${earlierInWords(revision, ordinal)}${shownInWords(one)}`,
    })),
  ]
}

/** What whoever gives a word must know of it; undefined: every picture that is listed can be looked at. */
function unseenWords(found, session) {
  const missing = missingFrom(found)
  if (missing.length === 0) return undefined
  const { listed } = found.pictureCount
  const who = session?.role === 'brand' ? 'You cannot see' : 'Nobody can see'
  const which =
    listed === 1
      ? 'the listing’s picture'
      : `${missing.length} of the listing’s ${listed} pictures (${placesInWords(missing)})`
  const them = missing.length === 1 ? ['it', 'it joins'] : ['them', 'they join']
  return `${who} ${which}: rejected, the listing may go on sale with ${them[0]} all the same; confirmed, ${them[1]} no bank.`
}

const id = (caseId) => el('p', { class: 'hint' }, 'Id ', el('code', {}, caseId))

function facts(found) {
  const { caseId, state, openedBy, openedAt, dueAt, closedAt, claim, brandIds } = found
  const holders = brandIds.length === 0 ? '' : `, and the rights holders of ${brandIds.join(', ')}`
  const claimed = claim && [claim.by === null ? 'Somebody' : nameOf(claim.by), ', until ', time(claim.until)]
  const rows = [
    ['Id', [el('code', {}, caseId)]],
    ['State', [STATES[state]]],
    ['Opened', [time(openedAt), `: ${OPENERS[openedBy]}`]],
    ['Due', state === 'open' && dueAt !== null ? [time(dueAt), late(dueAt)] : undefined],
    ['Closed', closedAt === null ? undefined : [time(closedAt)]],
    ['May decide', [`Analysts and administrators${holders}`]],
    ['Looked at by', claimed ?? undefined],
  ].filter(([, value]) => value !== undefined)
  return el('dl', {}, ...rows.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, ...value)]))
}

/** Said beside the time until which somebody should have looked. */
export const late = (dueAt) => (new Date(dueAt) < new Date() ? ', overdue' : '')

function verdictsOf({ verdicts }, revision, word, session) {
  if (verdicts.length === 0) return []
  const replaced = new Set(verdicts.map(({ supersedes }) => supersedes))
  const rows = verdicts.map((verdict) => {
    const { verdictId, verdict: said, brandId, by, at, reason, note } = verdict
    const counts = !replaced.has(verdictId)
    const whom = brandId === undefined || brandId === null ? '' : ` for ${brandId}`
    const words = [reason, note].filter((text) => text !== undefined && text !== null && text !== '')
    const line = [
      el('strong', {}, SAID[said]),
      `${whom}, by ${by.role === by.subject ? 'a reviewer' : nameOf(by.subject)} (${by.role}), `,
      time(at),
      ...words.flatMap((text) => [': ', foreign(text)]),
      ...(counts ? [] : ['. Taken back or replaced.']),
    ]
    const mine = session.role !== 'brand' || session.brandIds.includes(brandId)
    const mayUndo = mine && counts && said !== 'cannot-tell' && verdict.revision === revision
    return el('li', { class: counts ? '' : 'replaced' }, ...line, ...(mayUndo ? [' ', word.takeBack(verdictId)] : []))
  })
  return [el('h4', {}, 'What was said'), el('ol', { class: 'past' }, ...rows)]
}

function answersOf({ answers }) {
  if (answers.length === 0) return []
  const rows = answers.map(({ text, at }) =>
    el('li', {}, time(at), ': ', text === null ? 'for the marketplace only' : foreign(text)),
  )
  return [el('h4', {}, 'What the seller answered'), el('ol', { class: 'past' }, ...rows)]
}
