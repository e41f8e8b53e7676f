// What threads have in hand, and who is suspected of a death. Real: the files; a death is played by what it leaves behind.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openInHand, type InHand } from '../../../../src/adapters/pictures/in-hand.ts'
import { sha256Of } from '../../../support/pictures.ts'

const [A, B, C] = ['a', 'b', 'c'].map((name) => ({ sha256: sha256Of(Buffer.from(name)) })) as [Named, Named, Named]
interface Named {
  readonly sha256: string
}

let directory: string
let logged: Record<string, unknown>[]
const open = new Set<InHand>()
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'touchstone-in-hand-')), 'in-hand')
  logged = []
})
afterEach(() => {
  vi.useRealTimers()
  for (const one of open) one.close()
  open.clear()
  rmSync(join(directory, '..'), { recursive: true, force: true })
})

function started(threads = 2): InHand {
  const write = (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>)
  const one = openInHand(directory, threads, pino({ level: 'warn' }, { write }))
  open.add(one)
  return one
}
const slots = () => readdirSync(directory).filter((name) => name.endsWith('.slots'))

/** The process of the only one is gone without a word: its file stays, its lock does not. */
function dies(one: InHand): void {
  const [name = ''] = slots()
  const left = readFileSync(join(directory, name))
  one.close()
  open.delete(one)
  writeFileSync(join(directory, name), left)
}

/** Dies with these in hand, one in each thread. */
function diesOver(...pictures: readonly Named[]): void {
  const one = started(pictures.length)
  for (const [at, picture] of pictures.entries()) one.begins(at + 1, picture)
  dies(one)
}

test('who stops in order leaves nothing, and suspects nobody', () => {
  const one = started()
  one.begins(1, A)
  one.ends(1, true)
  one.begins(2, B)
  one.ends(2, false)
  one.close()
  open.delete(one)
  expect(slots()).toEqual([])
  const next = started()
  next.begins(1, A)
  expect([A, B].map((picture) => next.mayBegin(picture))).toEqual([true, true])
  expect(logged).toEqual([])
})

test('what was in hand at a death is read one at a time, beside all others; what ended before is not suspected', () => {
  const one = started()
  one.begins(1, C)
  one.ends(1, true)
  one.begins(1, A)
  one.begins(2, B)
  dies(one)
  const next = started()
  expect(logged).toMatchObject([
    { level: 40, ...A, deaths: 0 },
    { level: 40, ...B, deaths: 0 },
  ])
  expect([A, B, C].map((picture) => next.mayBegin(picture))).toEqual([true, true, true])
  next.begins(1, A)
  expect([B, C].map((picture) => next.mayBegin(picture))).toEqual([false, true])
  next.ends(1, false)
  next.begins(2, C)
  expect(next.mayBegin(B)).toBe(true)
  next.ends(2, true)
  // Its thread was ended over it: that says nothing for it.
  next.begins(2, B)
  expect(next.mayBegin(A)).toBe(false)
  next.ends(2, false)
  // Acquitted: nobody waits for it any more.
  next.begins(1, A)
  next.ends(1, true)
  next.begins(1, B)
  expect(next.mayBegin(A)).toBe(true)
})

test('after three deaths as a suspect it is refused; read to its end before, it begins anew', () => {
  diesOver(A, B)
  diesOver(A)
  diesOver(A)
  const acquits = started()
  expect(acquits.refused(A.sha256)).toBeUndefined()
  acquits.begins(1, A)
  acquits.ends(1, true)
  dies(acquits)
  for (let n = 0; n < 3; n++) diesOver(A)
  expect(started().refused(A.sha256)).toBeUndefined()
  for (const one of open) dies(one)
  diesOver(A)
  expect(logged.filter(({ level }) => level === 50)).toEqual([])
  const next = started()
  expect(logged.filter(({ level }) => level === 50)).toMatchObject([{ ...A, deaths: 3 }])
  expect(next.refused(A.sha256)).toMatchObject({
    fault: 'not-a-picture',
    message: expect.stringMatching(`3 times.*${A.sha256}`) as string,
  })
  expect(next.refused(B.sha256)).toBeUndefined()
})

test('in two threads at once, to be read and to be kept, is one death', () => {
  diesOver(A, A)
  for (let n = 0; n < 2; n++) diesOver(A, A)
  expect(started().refused(A.sha256)).toBeUndefined()
})

test('a week later it is tried once more, and refused again when that was a death', () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  for (let n = 0; n < 4; n++) diesOver(A)
  const one = started()
  expect(one.refused(A.sha256)).toBeDefined()
  vi.setSystemTime(Date.now() + 7 * 86_400_000)
  expect(one.refused(A.sha256)).toBeUndefined()
  one.begins(1, A)
  dies(one)
  expect(started().refused(A.sha256)).toBeDefined()
})

test('a thousand are remembered, the latest', () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  diesOver(A)
  started().close()
  open.clear()
  vi.setSystemTime(Date.now() + 1_000)
  diesOver(...Array.from({ length: 1_000 }, (_, n) => ({ sha256: sha256Of(Buffer.from(String(n))) })))
  started()
  const database = new DatabaseSync(join(directory, 'suspects.sqlite'))
  const count = database.prepare('SELECT count(*) AS n, sum(sha256 = ?) AS a FROM suspects').get(A.sha256)
  database.close()
  expect(count).toEqual({ n: 1_000, a: 0 })
})

test('several on one directory: who lives is not taken for dead, and a place of the dead is taken again', () => {
  const [one, two] = [started(), started()]
  one.begins(1, A)
  two.begins(1, B)
  expect(slots()).toEqual(['1.slots', '2.slots'])
  expect(logged).toEqual([])
  dies(one)
  started().begins(1, C)
  expect(logged).toMatchObject([A])
  expect(slots()).toEqual(['1.slots', '2.slots'])
})

test('a directory that others may enter is refused: who could write there could have any picture refused', () => {
  started().close()
  open.clear()
  chmodSync(directory, 0o755)
  expect(() => started()).toThrow('not a directory of this user alone')
})

test('who could not begin holds no place', () => {
  mkdirSync(join(directory, '1.slots'), { recursive: true })
  chmodSync(directory, 0o700)
  expect(() => started()).toThrow('EISDIR')
  rmSync(join(directory, '1.slots'), { recursive: true })
  started()
  expect(slots()).toEqual(['1.slots'])
})
