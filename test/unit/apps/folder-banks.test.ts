// Banks made of folders. Real: files, sharp, the threads, PDQ, the index of the banks.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, expect, test } from 'vitest'
import { readFolderBanks } from '../../../src/apps/folder-banks.ts'
import { drawnPicture } from '../../support/drawn-pictures.ts'
import { reading } from '../../support/pictures.ts'

const { reader, read } = reading()
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
  const banks = await readFolderBanks([{ kind: 'counterfeit', folder }], reader, (file, { code }) =>
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
  const reads = readFolderBanks([{ kind: 'genuine', folder }], small.reader, (_file, { code }) => skipped.push(code))
  await expect(reads).rejects.toMatchObject({ code: 'input-invalid' })
  expect(skipped).toEqual(['picture-unreadable'])
  await small.reader.close()
})
