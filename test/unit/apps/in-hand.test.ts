// Where it is noted what picture threads have in hand. Real: files.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { noteInHand } from '../../../src/apps/in-hand.ts'
import { readConfig } from '../../../src/config.ts'

let folder: string
let logged: Record<string, unknown>[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchstone-noted-'))
  vi.stubEnv('TMPDIR', folder)
  logged = []
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

function noted(dataDir: string, DATABASE_URL?: string) {
  const write = (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>)
  const config = readConfig({
    TOUCHSTONE_DATA_DIR: join(folder, dataDir),
    ...(DATABASE_URL === undefined ? {} : { DATABASE_URL }),
  })
  const inHand = noteInHand(config, 1, pino({ level: 'warn' }, { write }))
  inHand?.close()
  return inHand !== undefined
}
const temporary = () => readdirSync(folder).filter((name) => name.startsWith('touchstone-'))

test('in the data directory, which is made', () => {
  expect(noted('data')).toBe(true)
  expect(existsSync(join(folder, 'data', 'pictures-in-hand', 'suspects.sqlite'))).toBe(true)
  expect(temporary()).toEqual([])
})

test('where that cannot be, among the temporary files: in the same place again, in another for another store', () => {
  writeFileSync(join(folder, 'file'), '')
  for (let n = 0; n < 2; n++) expect(noted('file', 'postgres://gate:one@db/touchstone')).toBe(true)
  expect(temporary()).toHaveLength(1)
  // A password may change.
  noted('file', 'postgres://gate:two@db/touchstone')
  expect(temporary()).toHaveLength(1)
  noted('file', 'postgres://gate:two@db/other')
  expect(temporary()).toHaveLength(2)
  expect(logged).toEqual([])
})

test('where nothing can be written the gate works without, and says so', () => {
  writeFileSync(join(folder, 'file'), '')
  vi.stubEnv('TMPDIR', join(folder, 'file'))
  expect(noted('file')).toBe(false)
  expect(logged).toMatchObject([{ level: 40, msg: expect.stringMatching('TOUCHSTONE_DATA_DIR') as string }])
})
