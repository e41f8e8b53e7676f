// Pictures that end the whole process, and processes that are killed over harmless ones. Real: processes, their deaths, threads, sharp, the gate.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { drawnPicture } from '../support/drawn-pictures.ts'
import { drawing, sha256Of } from '../support/pictures.ts'
import { ran } from '../support/processes.ts'
import { startGateUnderTest } from '../support/running-gate.ts'
import { until } from '../support/until.ts'

const PROCESS = fileURLToPath(new URL('../support/reading-process.ts', import.meta.url))

let folder: string
let inHand: string
const living = new Set<ChildProcess>()
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchstone-crash-'))
  inHand = join(folder, 'pictures-in-hand')
})
afterEach(() => {
  for (const child of living) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** A drawing, unlike the others by its size; the mark lies behind its end, where decoders do not look. */
async function picture(name: string, side: number, mark = ''): Promise<string> {
  const path = join(folder, name)
  writeFileSync(path, Buffer.concat([await drawing(side, 240).png().toBuffer(), Buffer.from(mark)]))
  return path
}

function reads(files: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [PROCESS, inHand, ...files], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  living.add(child)
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  const ended = new Promise<{ signal: string | null; of: Record<string, { said: string; kept: boolean }> }>((resolve) =>
    child.once('close', (_code, signal) => {
      living.delete(child)
      const [said = '{}'] = /\{"\w+\.png".*$/.exec(out) ?? []
      resolve({ signal, of: JSON.parse(said) as Record<string, { said: string; kept: boolean }> })
    }),
  )
  return { child, ended, said: () => out }
}

const left = () => (existsSync(inHand) ? readdirSync(inHand).filter((name) => name.endsWith('.slots')) : [])

/** A process that has the picture in hand until it is killed. */
async function stallsOver(stalling: string): Promise<() => Promise<void>> {
  const { child, ended, said } = reads([stalling], { STALL: 'yes' })
  await until('a thread has it in hand', async () => said().includes('stalls'))
  return async () => {
    child.kill('SIGKILL')
    expect(await ended).toEqual({ signal: 'SIGKILL', of: {} })
  }
}

/** Eight processes one after the other: a second each, and many on a busy machine. */
const HANGS = 180_000
const SEEN = { said: 'seen', kept: true }

test(
  'a picture that ends the process four times is not decoded any more: all others are read, and its listing is held',
  async () => {
    const [one, crash, two, three] = await Promise.all([
      picture('one.png', 300),
      picture('crash.png', 320, 'crash'),
      picture('two.png', 340),
      picture('three.png', 360),
    ])
    // Whatever lies beside it in the threads.
    for (const files of [
      [one, crash, two],
      [crash, two, one],
      [two, one, crash],
      [crash, one],
    ])
      expect((await reads(files).ended).signal).toBe('SIGSEGV')
    for (let again = 0; again < 2; again++) {
      const { signal, of } = await reads([crash, one, two, three]).ended
      expect(signal).toBeNull()
      expect(of).toEqual({
        'one.png': SEEN,
        'two.png': SEEN,
        'three.png': SEEN,
        'crash.png': {
          said: expect.stringMatching(`^not-a-picture: .*3 times.*${sha256Of(readFileSync(crash))}`) as string,
          kept: false,
        },
      })
      expect(left()).toEqual([])
    }
    // The gate looks there too; its own threads would read the picture, for it is one.
    const gate = await startGateUnderTest({ TOUCHSTONE_DATA_DIR: folder })
    onTestFinished(() => gate.stop())
    expect(left()).toHaveLength(1)
    const fake = join(folder, 'fake.png')
    writeFileSync(fake, await drawnPicture(7))
    const imported = await ran(['banks', 'import', 'fakes', fake, '--kind', 'counterfeit'], { DATABASE_URL: gate.url })
    expect(imported.code).toBe(0)
    const image = (file: string) => ({ data: readFileSync(file).toString('base64') })
    await gate.submit({ listingId: 'crash', images: [image(crash)] })
    await gate.submit({ listingId: 'one', images: [image(one)] })
    const { decisions } = await gate.settled()
    const of = new Map(
      decisions.map(({ listingId, outcome, signals }) => [
        listingId,
        { outcome, pictures: signals.find(({ name }) => name === 'image-hash')?.state },
      ]),
    )
    expect(of.get('crash')).toEqual({ outcome: 'hold', pictures: 'failed' })
    expect(of.get('one')).toEqual({ outcome: 'allow', pictures: 'abstained' })
  },
  HANGS,
)

test(
  'who is killed over a harmless picture, however often, refuses it not, for it is read to its end in between',
  async () => {
    const [harmless, other] = await Promise.all([picture('harmless.png', 300, 'stall'), picture('other.png', 340)])
    for (let round = 0; round < 2; round++) {
      for (let kill = 0; kill < 3; kill++) {
        const end = await stallsOver(harmless)
        await end()
      }
      expect(await reads([other, harmless]).ended).toEqual({
        signal: null,
        of: { 'harmless.png': SEEN, 'other.png': SEEN },
      })
    }
  },
  HANGS,
)

test(
  'processes side by side have places of their own: one that lives is not taken for dead',
  async () => {
    const [harmless, other] = await Promise.all([picture('harmless.png', 300, 'stall'), picture('other.png', 340)])
    const end = await stallsOver(harmless)
    for (let n = 0; n < 2; n++)
      expect((await reads([other, harmless]).ended).of).toMatchObject({ 'harmless.png': SEEN })
    // What it has in hand is still there to be told.
    expect(left()).toHaveLength(1)
    await end()
    expect(left()).toHaveLength(1)
    expect((await reads([other]).ended).of).toEqual({ 'other.png': SEEN })
    expect(left()).toEqual([])
  },
  HANGS,
)
