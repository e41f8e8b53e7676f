// Behind a confirmation: which pictures stayed out of the bank, why, who shows them, and one press to say that one is the fake.
import { el, foreign } from './dom.js'
import { figure } from './figure.js'
import { earlierInWords } from './kept.js'

const WHY = {
  official: 'like a genuine or an allowed picture, which no verdict makes a counterfeit.',
  elsewhere: 'another seller had it on sale before, and still has.',
  notLookedUp: 'not looked up in time whether other sellers show it on sale.',
  earlier: 'your word does not speak of that revision.',
  nobody: 'an edit in between alone showed it, and your word does not name it.',
}

/** As many as the service names. */
const MOST_LISTINGS = 10

/**
 * What stays out after a word, each with why: what the answer says, but of a word that names pictures on our account what was
 * out before it and still is, and what had joined as nobody's word; that others are not named goes without saying.
 * @param {{ pictures: any, before?: { left: any[], joined: any[] } }} answer `before`: of the word that it replaced
 */
export function leftAfter({ pictures, before }) {
  const out = (pictures?.leftOutWhich ?? []).filter(({ why }) => why !== 'unnamed')
  if (pictures === null || before === undefined) return out
  const settled = new Set([...pictures.which, ...out].map(({ sha256 }) => sha256))
  const between = before.joined.filter(({ by }) => by === 'nobody').map((one) => ({ ...one, why: 'nobody' }))
  return [...out, ...[...before.left, ...between].filter(({ sha256 }) => !settled.has(sha256))]
}

/** What names all that had joined, and one more; not what joined as nobody's word: nobody has looked at it for that. */
export const namesWith = (joined, sha256) => [
  ...joined.filter(({ by }) => by !== 'nobody').map((one) => one.sha256),
  sha256,
]

/**
 * @param {{ left: any[], revision: number, own: boolean, add: (sha256: string) => void }} about `revision`: of the case;
 *   `own`: the session is a rights holder's, who is not told of others' listings
 */
export function leftOutOf({ left, revision, own, add }) {
  if (left.length === 0) return []
  const rows = left.map((one, at) => {
    const name = one.revision === revision ? `Picture ${one.ordinal + 1}` : earlierInWords(one.revision, one.ordinal)
    const id = `left-out-${at}`
    const button = el('button', { type: 'button', class: 'small', 'aria-describedby': id }, 'It is the fake: add it')
    button.addEventListener('click', () => add(one.sha256))
    const words = el('p', { id }, `${name}: ${WHY[one.why] ?? one.why}`)
    const shown = one.why === 'elsewhere' && !own ? [listingsOf(one.listings)] : []
    return el(
      'li',
      {},
      figure(one.sha256, name, 'Not kept.'),
      el('div', {}, words, ...shown, ...(one.why === 'official' ? [] : [button])),
    )
  })
  const many = left.length === 1 ? '1 picture' : `${left.length} pictures`
  return [el('h4', {}, `Left out of the bank: ${many}`), el('ul', {}, ...rows)]
}

function listingsOf(listings) {
  if (listings === undefined)
    return el('p', { class: 'hint' }, 'Which listings show it could not be looked up in time.')
  const many = listings.length < MOST_LISTINGS ? 'Shown by' : 'Shown, of those that were decided last, by'
  return el(
    'p',
    { class: 'hint' },
    `${many} ${listings.length === 1 ? 'listing' : 'listings'} `,
    ...listings.flatMap((id, at) => [...(at === 0 ? [] : [', ']), foreign(id)]),
    '.',
  )
}
