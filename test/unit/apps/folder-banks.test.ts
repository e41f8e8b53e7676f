// Banks made of folders. Real: files, sharp, the threads, PDQ, the index of the banks.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import sharp from 'sharp'
import { afterAll, expect, test } from 'vitest'
import { readFolderBanks } from '../../../src/apps/folder-banks.ts'
import { drawnPicture } from '../../support/drawn-pictures.ts'
import { reading } from '../../support/pictures.ts'

const { reader, read } = reading()
const MOST = 1 << 20
const folder = mkdtempSync(join(tmpdir(), 'touchstone-folder-bank-'))
afterAll(async () => {
  await reader.close()
  rmSync(folder, { recursive: true, force: true })
})

test('of an animation every frame is known, and a file of which frames cannot be seen is told of', async () => {
  const frames = await Promise.all([1, 2, 3].map(drawnPicture))
  const moving = sharp(frames, { join: { animated: true } })
  writeFileSync(join(folder, 'moving.webp'), await moving.webp({ delay: [100, 3_000, 100] }).toBuffer())
  const skipped: string[] = []
  const banks = await readFolderBanks([{ kind: 'counterfeit', folder }], reader, MOST, (file, { code }) =>
    skipped.push(`${file} ${code}`),
  )
  expect(skipped).toEqual([])
  for (const still of frames) {
    const picture = await read(still)
    expect(picture.state === 'seen' && banks.match(picture).map(({ kind }) => kind)).toEqual(['counterfeit'])
  }
  const stranger = await read(await drawnPicture(4))
  expect(stranger.state === 'seen' && banks.match(stranger)).toEqual([])
})

test('a folder of which no file can be seen in full is refused', async () => {
  const small = reading({ maxPixels: 600 * 480 * 2 })
  const skipped: string[] = []
  const reads = readFolderBanks([{ kind: 'genuine', folder }], small.reader, MOST, (_file, { code }) =>
    skipped.push(code),
  )
  await expect(reads).rejects.toMatchObject({ code: 'input-invalid' })
  expect(skipped).toEqual(['picture-unreadable'])
  await small.reader.close()
})

test('links are followed, a pipe and a link to nothing are told of, what is no picture by its name is passed over', async () => {
  const [bank, elsewhere] = [join(folder, 'bank'), join(folder, 'elsewhere')]
  for (const one of [bank, elsewhere]) mkdirSync(one)
  writeFileSync(join(elsewhere, 'bag.png'), await drawnPicture(5))
  symlinkSync('../elsewhere/bag.png', join(bank, 'linked.png'))
  symlinkSync('nowhere.png', join(bank, 'dangling.png'))
  execFileSync('/bin/sh', ['-c', 'mkfifo "$0"', join(bank, 'pipe.png')])
  writeFileSync(join(bank, 'large.png'), Buffer.alloc(MOST + 1))
  writeFileSync(join(bank, 'LICENSE'), 'none')
  const skipped: string[] = []
  const banks = await readFolderBanks([{ kind: 'counterfeit', folder: bank }], reader, MOST, (file, why) =>
    skipped.push(`${basename(file)} ${why.code}`),
  )
  expect(skipped).toEqual(['dangling.png input-invalid', 'large.png too-large', 'pipe.png input-invalid'])
  const picture = await read(await drawnPicture(5))
  expect(picture.state === 'seen' && banks.match(picture).map(({ kind }) => kind)).toEqual(['counterfeit'])
})

test('a folder without pictures is refused, and so is what is not there', async () => {
  const empty = join(folder, 'empty')
  mkdirSync(empty)
  const refusal = (name: string) =>
    readFolderBanks([{ kind: 'counterfeit', folder: join(folder, name) }], reader, MOST, () => undefined).then(
      () => 'taken',
      ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
    )
  expect(await refusal('empty')).toContain(`input-invalid: ${empty}: it is a folder without pictures`)
  writeFileSync(join(empty, 'notes.txt'), 'none')
  expect(await refusal('empty')).toContain('it is a folder without pictures')
  expect(await refusal('nowhere')).toContain('there is no such file or folder')
})
