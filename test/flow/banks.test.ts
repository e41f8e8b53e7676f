// Banks beside a running gate: filled by the command line, obeyed by the worker, emptied by quarantine. Real: the gate with its
// threads, PostgreSQL, the bin in processes of its own; made up: the pictures.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/domain/decision.ts'
import { picture } from '../contracts/store-banks.ts'
import { blankPicture, disguised, drawnPicture } from '../support/drawn-pictures.ts'
import { startGateUnderTest, type GateUnderTest } from '../support/running-gate.ts'

const BIN = fileURLToPath(new URL('../../scripts/touchstone.mjs', import.meta.url))
const SELLERS = 5
/** Processes of their own take a second of computing each, on a busy machine ten times as long. */
const PROCESSES_MS = 120_000

let t: GateUnderTest
let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'touchstone-banks-'))
  t = await startGateUnderTest({ TOUCHSTONE_BANK_SELLERS_PER_HOUR: String(SELLERS) })
})
afterAll(async () => {
  await t?.stop()
  rmSync(directory, { recursive: true, force: true })
})

function touchstone(...words: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...words], {
      cwd: directory,
      env: { ...process.env, DATABASE_URL: t.url, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
  })
}

let offers = 0
async function offer(sellerId: string, picture: Buffer, more: object = {}): Promise<Decision> {
  const listingId = `L-${++offers}`
  await t.submit({ listingId, sellerId, images: [{ data: picture.toString('base64') }], ...more })
  return t.until(`${listingId} is decided`, async () => (await t.gate.reader.history(listingId))?.decisions[0])
}
const matchesOf = (decision: Decision) =>
  (decision.signals.find((s) => s.name === 'image-hash')?.evidence['matches'] ?? []) as {
    bankId: string
    kind: string
  }[]

describe('touchstone banks', () => {
  it(
    'says what is wrong with a call, and makes no bank',
    async () => {
      const file = join(directory, 'a.png')
      writeFileSync(file, await drawnPicture(1))
      const wrong = await Promise.all([
        touchstone('banks', 'import', 'fakes', file),
        touchstone('banks', 'import', 'Not an id', file, '--kind', 'logo'),
        touchstone('banks', 'import', 'fakes', file, '--kind', 'logo', '--brand', 'no-such-brand'),
        touchstone('banks', 'import', 'fakes', file, '--kind', 'logo', '--distance', '64'),
      ])
      expect(wrong.map(({ code }) => code)).toEqual([2, 2, 2, 2])
      expect(wrong.map(({ err }) => err).join('')).toMatch(/--kind[\s\S]*bankId[\s\S]*no-such-brand[\s\S]*0 to 63/)
      expect(await t.gate.bankStore.banks('all')).toEqual([])
    },
    PROCESSES_MS,
  )

  it(
    'imports beside a running gate, which obeys at once; files that are no use are named with their reason',
    async () => {
      const files = {
        cut: join(directory, 'cut.jpg'),
        good: join(directory, 'good.png'),
        blank: join(directory, 'blank.png'),
        text: join(directory, 'text.txt'),
      }
      const good = await drawnPicture(2)
      writeFileSync(files.good, good)
      const whole = await disguised(good)
      writeFileSync(files.cut, whole.subarray(0, (whole.length * 3) / 4))
      writeFileSync(files.blank, await blankPicture())
      writeFileSync(files.text, 'no picture at all')
      const asked = ['import', 'fakes', ...Object.values(files), join(directory, 'none.png')]
      const first = await touchstone(
        'banks',
        ...asked,
        '--kind',
        'counterfeit',
        '--brand',
        'nike',
        '--distance',
        '29',
        '--json',
      )
      expect(first.code).toBe(3)
      const report = JSON.parse(first.out) as { added: number; rejected: { file: string; code: string }[] }
      expect(report.added).toBe(1)
      expect(Object.fromEntries(report.rejected.map(({ file, code }) => [file, code]))).toEqual({
        [files.blank]: 'picture-blank',
        [files.text]: 'picture-unreadable',
        [files.cut]: 'picture-unreadable',
        [join(directory, 'none.png')]: 'input-invalid',
      })
      for (const { file } of report.rejected) expect(first.err).toContain(file)
      const copy = await disguised(await drawnPicture(2))
      await t.until('the gate knows', async () => matchesOf(await offer('S-0', copy)).length > 0)

      const [again, list] = await Promise.all([
        touchstone('banks', 'import', 'fakes', files.good, '--json'),
        touchstone('banks', 'list', '--json'),
      ])
      expect([again.code, JSON.parse(again.out)]).toEqual([
        0,
        { bankId: 'fakes', changed: [], added: 0, present: 1, rejected: [] },
      ])
      expect(JSON.parse(list.out)).toMatchObject([{ bankId: 'fakes', brandId: 'nike', maxDistance: 29, images: 1 }])
    },
    PROCESSES_MS,
  )

  it(
    'makes no bank for files of no use, and says what an import changed of a bank that was there',
    async () => {
      const text = join(directory, 'unreadable.txt')
      writeFileSync(text, 'no picture at all')
      const none = await touchstone('banks', 'import', 'bad', text, '--kind', 'counterfeit')
      expect([none.code, none.out]).toEqual([3, expect.stringContaining('bank bad was not made')])
      expect(await t.gate.bankStore.bank('bad', 'all')).toBeUndefined()
      const changed = await touchstone('banks', 'import', 'fakes', text, '--distance', '30')
      expect([changed.code, changed.out]).toEqual([3, expect.stringContaining('of fakes is 30 now, it was 29')])
      expect(await t.gate.bankStore.bank('fakes', 'all')).toMatchObject({ maxDistance: 30 })
    },
    PROCESSES_MS,
  )

  it('a picture that meets too many sellers goes into quarantine for their marketplace until a person lets it out', async () => {
    const { bankStore } = t.gate
    const there = { marketplace: 'elsewhere' }
    const picture = await drawnPicture(2)
    await offer('S-0', picture, there)
    for (let i = 0; i <= SELLERS; i++) await offer(`S-${i}`, picture)
    const [quarantined] = await t.until('it is in quarantine', async () => {
      const images = await bankStore.images('fakes', { limit: 9, state: 'quarantined' })
      return images.length > 0 ? images : undefined
    })
    await t.until('the gate knows', async () => matchesOf(await offer('S-9', picture)).length === 0)
    expect(matchesOf(await offer('S-9', picture, there))).toMatchObject([{ bankId: 'fakes' }])
    const [list, doctor, wrong] = await Promise.all([
      touchstone('banks', 'list'),
      touchstone('doctor'),
      touchstone('banks', 'release', 'fakes', randomUUID()),
    ])
    const release = /touchstone (banks release fakes \S+)/.exec(list.out)?.[1]
    expect(release).toContain(quarantined?.imageId)
    expect(list.out).toMatch(
      /In quarantine for listings without a marketplace since \S+Z, met 6 sellers of listings without a marketplace in \d+ s/,
    )
    expect(doctor.out).toMatch(/warning +banks .*in quarantine.*1 of fakes/)
    // Nothing waits, and that is no lack of a publisher.
    expect(doctor.out).toMatch(/0 rows wait in the outbox; (there is nothing to publish|outbox by)/)
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('not-found')])
    expect((await touchstone(...(release ?? '').split(' '))).code).toBe(0)
    const again = await t.until('it matches again', async () => {
      const found = matchesOf(await offer('S-9', picture))
      return found.length > 0 ? found : undefined
    })
    expect(again).toMatchObject([{ bankId: 'fakes', kind: 'counterfeit' }])
    expect((await touchstone('doctor')).out).toMatch(/ok +banks /)
  }, 120_000)

  it('new accounts alone take nothing away: there is an alert, which is listed and answered', async () => {
    const picture = await drawnPicture(2)
    const seller = { createdAt: new Date().toISOString() }
    for (let i = 0; i <= SELLERS; i++) await offer(`new-${i}`, picture, { marketplace: 'third', seller })
    await t.until('there is an alert', async () => (await t.gate.bankStore.banks('all'))[0]?.alerted === 1)
    expect(matchesOf(await offer('S-9', picture, { marketplace: 'third' }))).toMatchObject([{ bankId: 'fakes' }])
    const [list, doctor] = await Promise.all([touchstone('banks', 'list'), touchstone('doctor')])
    expect(list.out).toMatch(/Matches on, though met 6 sellers of third in \d+ s until \S+Z, too many of them with new/)
    expect(doctor.out).toMatch(/warning +banks .*matching on, though they met too many sellers: 1 of fakes/)
    const [image] = await t.gate.bankStore.images('fakes', { limit: 9, state: 'alerted' })
    expect((await touchstone('banks', 'release', 'fakes', image?.imageId ?? '')).code).toBe(0)
    expect((await touchstone('banks', 'list')).out).not.toContain('Matches on')
    const put = await touchstone('banks', 'quarantine', 'fakes', image?.imageId ?? '')
    expect([put.code, put.out]).toEqual([0, expect.stringContaining('matches nothing until it is released')])
    expect((await touchstone('banks', 'list')).out).toMatch(/In quarantine since \S+Z, put there by/)
    expect((await touchstone('banks', 'release', 'fakes', image?.imageId ?? '')).code).toBe(0)
  }, 120_000)

  it(
    'what a rights holder added is marked in the list of its bank until somebody vouches for it',
    async () => {
      const source = { kind: 'api', by: 'brand' } as const
      const { added } = await t.gate.bankStore.addImages(
        'fakes',
        [{ picture: picture('of nike'), source }],
        'nike',
        'all',
      )
      const id = added[0]?.imageId ?? ''
      const marked = async () => (await touchstone('banks', 'list', 'fakes')).out.includes('nobody vouches')
      expect(await marked()).toBe(true)
      const vouched = await touchstone('banks', 'vouch', 'fakes', id)
      expect([vouched.code, vouched.out]).toEqual([0, `${id} of fakes counts everywhere.\n`])
      expect(await marked()).toBe(false)
      await t.gate.bankStore.removeImage('fakes', id, 'ann', 'all')
      expect((await touchstone('banks', 'vouch', 'fakes', id)).code).toBe(1)
    },
    PROCESSES_MS,
  )

  it(
    'allowed wins: what it matches is no evidence, whatever else it matches',
    async () => {
      const file = join(directory, 'good.png')
      expect((await touchstone('banks', 'import', 'fine', file, '--kind', 'allowed')).code).toBe(0)
      const decision = await t.until('the gate knows', async () => {
        const one = await offer('S-9', await drawnPicture(2))
        return matchesOf(one).some((m) => m.kind === 'allowed') ? one : undefined
      })
      expect(decision.outcome).toBe('allow')
      expect(decision.signals.find((s) => s.name === 'image-hash')?.state).toBe('abstained')
    },
    PROCESSES_MS,
  )

  it(
    'a picture is found by the list of its bank and removed by hand; the running gate forgets it',
    async () => {
      const list = await touchstone('banks', 'list', 'fakes')
      const [imageId = ''] = /^[0-9a-f-]{36}(?=  active +good\.png )/m.exec(list.out) ?? []
      expect((await t.gate.bankStore.images('fakes', { limit: 9 })).map((i) => i.imageId)).toEqual([imageId])
      const wrong = await Promise.all([
        touchstone('banks', 'remove', 'fakes', 'good.png'),
        touchstone('banks', 'remove', 'fakes', randomUUID()),
        touchstone('banks', 'remove', 'fine', imageId),
        touchstone('banks', 'remove', 'none', imageId),
        touchstone('banks', 'list', 'none'),
      ])
      expect(wrong.map(({ code }) => code)).toEqual([2, 1, 1, 1, 1])
      const said = [
        /no id of a picture/,
        /no picture .* in fakes/,
        /no picture .* in fine/,
        /no bank none/,
        /no bank none/,
      ]
      for (const [i, words] of said.entries()) expect(wrong[i]?.err).toMatch(words)
      const removed = await touchstone('banks', 'remove', 'fakes', imageId, '--json')
      expect([removed.code, JSON.parse(removed.out)]).toEqual([0, { bankId: 'fakes', imageId, state: 'removed' }])
      // What is left is the allowed one.
      await t.until('the gate forgot it', () => Promise.resolve(t.gate.banks.current().size === 1))
      expect((await touchstone('banks', 'remove', 'fakes', imageId)).err).toMatch(/no picture .* in fakes/)
      expect((await touchstone('banks', 'list', 'fakes')).out).toMatch(/fakes has no pictures/)
    },
    PROCESSES_MS,
  )

  it(
    'several pictures are removed at once, and all of a bank with the word of whoever asks for it',
    async () => {
      const store = t.gate.bankStore
      const pictures = ['a', 'b', 'c', 'd'].map((name) => ({
        picture: picture(name),
        source: { kind: 'api' } as const,
      }))
      const ids = (await store.addImages('fakes', pictures, 'ann', 'all')).added.map(({ imageId }) => imageId)
      await store.quarantine('fakes', ids[3] ?? '', 'ann', true, 'all')
      const absent = randomUUID()
      const some = await touchstone('banks', 'remove', 'fakes', ...ids.slice(0, 2), absent, '--json')
      expect([some.code, JSON.parse(some.out)]).toEqual([
        3,
        { bankId: 'fakes', imageIds: ids.slice(0, 2), absent: [absent], state: 'removed' },
      ])
      const [unsure, none] = await Promise.all([
        touchstone('banks', 'empty', 'fakes'),
        touchstone('banks', 'empty', 'no'),
      ])
      expect([unsure.code, none.code]).toEqual([2, 1])
      expect(some.err + unsure.err).toMatch(/there is no picture [\s\S]*--yes to take all 2 pictures out of fakes/)
      expect((await store.images('fakes', { limit: 9 })).map((i) => i.imageId)).toEqual(ids.slice(2).toSorted())
      const emptied = await touchstone('banks', 'empty', 'fakes', '--yes')
      expect([emptied.code, emptied.out]).toEqual([0, '2 pictures are out of fakes, by command line.\n'])
      // What it is stays, and another bank's pictures do.
      expect((await store.banks('all')).map(({ bankId, images }) => [bankId, images])).toEqual([
        ['fakes', 0],
        ['fine', 1],
      ])
    },
    PROCESSES_MS,
  )
})
